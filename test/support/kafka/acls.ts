import kafkajs, { type AclEntry } from 'kafkajs';
import type { TestKafka } from './broker.ts';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

const resourceTypes = { topic: AclResourceTypes.TOPIC, group: AclResourceTypes.GROUP } as const;
const operations = { describe: AclOperationTypes.DESCRIBE, read: AclOperationTypes.READ } as const;

export interface Grant {
  user: string;
  operation: keyof typeof operations;
  kind: keyof typeof resourceTypes;
  /** `*` means every one. */
  name: string;
}

/** Lets a user do one thing. It may take a moment until the broker knows. */
export async function grant(kafka: TestKafka, wanted: Grant): Promise<void> {
  await kafka.admin.createAcls({ acl: [aclOf(wanted)] });
}

/** Revokes what was granted. */
export async function revoke(kafka: TestKafka, granted: Grant): Promise<void> {
  await kafka.admin.deleteAcls({ filters: [aclOf(granted)] });
}

function aclOf({ user, operation, kind, name }: Grant): AclEntry {
  return {
    resourceType: resourceTypes[kind],
    resourceName: name,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    principal: `User:${user}`,
    host: '*',
    operation: operations[operation],
    permissionType: AclPermissionTypes.ALLOW,
  };
}
