import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from 'kafkajs';
import type { TestKafka } from './broker.ts';

const resourceTypes = { topic: AclResourceTypes.TOPIC, group: AclResourceTypes.GROUP } as const;
const operations = { describe: AclOperationTypes.DESCRIBE, read: AclOperationTypes.READ } as const;

export interface Grant {
  user: string;
  operation: keyof typeof operations;
  kind: keyof typeof resourceTypes;
  /** `*` is every one. */
  name: string;
}

/** Lets a user do one thing; it may take the broker a moment to know. */
export async function grant(kafka: TestKafka, { user, operation, kind, name }: Grant): Promise<void> {
  await kafka.admin.createAcls({
    acl: [
      {
        resourceType: resourceTypes[kind],
        resourceName: name,
        resourcePatternType: ResourcePatternTypes.LITERAL,
        principal: `User:${user}`,
        host: '*',
        operation: operations[operation],
        permissionType: AclPermissionTypes.ALLOW,
      },
    ],
  });
}

/** Takes back what was granted. */
export async function revoke(kafka: TestKafka, { user, operation, kind, name }: Grant): Promise<void> {
  await kafka.admin.deleteAcls({
    filters: [
      {
        resourceType: resourceTypes[kind],
        resourceName: name,
        resourcePatternType: ResourcePatternTypes.LITERAL,
        principal: `User:${user}`,
        host: '*',
        operation: operations[operation],
        permissionType: AclPermissionTypes.ALLOW,
      },
    ],
  });
}
