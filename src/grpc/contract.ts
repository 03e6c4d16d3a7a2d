import { fileURLToPath } from 'node:url';
import { loadPackageDefinition } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { loadSync } from '@grpc/proto-loader';
import { packageFile } from '../package.ts';
import type { ProtoGrpcType } from './generated/externalscaler.ts';

const protoFile = fileURLToPath(packageFile('proto/externalscaler.proto'));

/** KEDA's contract, loaded with the options the types in `generated/` were made with (`npm run generate`). */
export const packageDefinition: PackageDefinition = loadSync(protoFile, {
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
});

// proto-loader makes at runtime what gen-types described. Nothing else ties the two.
const loaded = loadPackageDefinition(packageDefinition) as unknown as ProtoGrpcType;

export const ExternalScaler = loaded.externalscaler.ExternalScaler;

/** The service name for health checks. */
export const serviceName = 'externalscaler.ExternalScaler';
