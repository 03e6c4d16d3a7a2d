import { quote } from '../../params/printable.ts';
import { awsOrigin } from './aws-host.ts';
import type { SqsConfig } from './config.ts';
import { isAt } from './own-queue.ts';
import type { SqsParams } from './params.ts';

/** A trigger names queues of its connection's endpoint and region: our credentials sign nothing for another host. */
export function conflict({ queueURL }: SqsParams, config: SqsConfig): string | undefined {
  if (isAt(config, queueURL)) return undefined;
  const { region, endpoint } = config;
  const { origin = '', aws, name } = queueURL;
  if (aws !== undefined && endpoint === undefined) {
    return `queueURL: ${quote(name)} is in ${aws.region}, the connection is for ${region}; name the connection of that region`;
  }
  return `queueURL: ${quote(origin)} is not the connection's endpoint (${endpoint ?? awsOrigin(region)}); requests go nowhere else`;
}
