// Calls the scaler as KEDA does. Run by `helm test` in the image, whose modules it takes; settings come as one JSON text.
const { existsSync, readFileSync } = require('node:fs');
const grpc = require('@grpc/grpc-js');
const { loadSync } = require('@grpc/proto-loader');
const { protoPath } = require('grpc-health-check');

const { address, readyUrl, tlsDir, needsClientCertificate, trigger } = JSON.parse(process.argv.at(-1));
const deadlineMs = 30_000;

function credentials() {
  if (tlsDir === undefined) return grpc.credentials.createInsecure();
  const read = (name) => readFileSync(`${tlsDir}/${name}`);
  // A certificate of a public authority comes without it: gRPC knows those.
  const authority = existsSync(`${tlsDir}/ca.crt`) ? read('ca.crt') : null;
  if (!needsClientCertificate) return grpc.credentials.createSsl(authority);
  return grpc.credentials.createSsl(authority, read('tls.key'), read('tls.crt'));
}

function clientOf(proto, ...names) {
  const types = grpc.loadPackageDefinition(loadSync(proto));
  const Client = names.reduce((node, name) => node[name], types);
  return new Client(address, credentials());
}

function call(client, method, request) {
  return new Promise((resolve, reject) => {
    const options = { deadline: Date.now() + deadlineMs };
    client[method](request, options, (error, answer) => (error === null ? resolve(answer) : reject(error)));
  });
}

async function checkHealth() {
  const health = clientOf(protoPath, 'grpc', 'health', 'v1', 'Health');
  const { status } = await call(health, 'check', { service: 'externalscaler.ExternalScaler' });
  if (String(status) !== 'SERVING' && status !== 1) throw new Error(`the scaler says that it is ${status}`);
  console.log('the scaler is serving');
}

async function checkTrigger() {
  const scaler = clientOf('proto/externalscaler.proto', 'externalscaler', 'ExternalScaler');
  const reference = { name: 'helm-test', namespace: trigger?.namespace ?? 'default' };
  const asked = call(scaler, 'getMetricSpec', { ...reference, scalerMetadata: trigger?.metadata ?? {} });
  if (trigger !== undefined) {
    const { metricSpecs } = await asked;
    if (metricSpecs.length !== 1) throw new Error(`the trigger has ${metricSpecs.length} metrics`);
    return console.log(`the trigger's metric is ${metricSpecs[0].metricName}`);
  }
  const refused = await asked.then(
    () => undefined,
    (error) => error,
  );
  if (refused?.code !== grpc.status.INVALID_ARGUMENT) {
    throw new Error(`a trigger without a source is not refused: ${refused?.message ?? 'it was answered'}`);
  }
  console.log('a trigger without a source is refused, as it must be');
}

async function checkReady() {
  const { status } = await fetch(readyUrl, { signal: AbortSignal.timeout(deadlineMs) });
  if (status !== 200) throw new Error(`${readyUrl} answered ${status}`);
  console.log('the scaler is ready; give helmTest.clientSecret to call it');
}

const checks = address === undefined ? [checkReady] : [checkHealth, checkTrigger];
checks
  .reduce((before, check) => before.then(check), Promise.resolve())
  .then(
    () => process.exit(0),
    ({ message }) => {
      console.error(message);
      process.exit(1);
    },
  );
