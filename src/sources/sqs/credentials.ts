import type { SQSClientConfig } from '@aws-sdk/client-sqs';
import { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import type { SourceMetrics } from '../../telemetry/metrics.ts';
import type { SqsConfig } from './config.ts';
import { counting, silentSdkLog } from './sdk.ts';

export type Credentials = NonNullable<SQSClientConfig['credentials']>;

/** Under this name AWS logs what an assumed role does. */
const sessionName = 'backlog-scaler';

/**
 * Who the connection is: its access key, else whom the AWS default chain finds (environment, IRSA, EKS Pod
 * Identity, instance role); and where it has a role, that role. Temporary ones are renewed by the SDK.
 */
export function credentialsOf(config: SqsConfig, metrics: SourceMetrics): Credentials {
  const clientPlugins = [counting(metrics)];
  const own = config.credentials ?? fromNodeProviderChain({ logger: silentSdkLog, clientPlugins });
  const { roleArn, externalId } = config;
  if (roleArn === undefined) return own;
  return fromTemporaryCredentials({
    masterCredentials: own,
    params: {
      RoleArn: roleArn,
      RoleSessionName: sessionName,
      ...(externalId === undefined ? {} : { ExternalId: externalId }),
    },
    // The subject is read again. Sockets and region are those of the SQS client.
    clientConfig: { maxAttempts: 1 },
    clientPlugins,
    logger: silentSdkLog,
  });
}
