import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { type Certificates, makeCertificates } from '../../test/support/certificates.ts';
import { type Fault, rounds } from '../fault.ts';

/** A scaler checks its files every 10 s, and a broker needs some time to start again. */
const brokenSeconds = 12;
const graceMs = 3000;

/** The shown certificate is replaced by one of the two others. */
const shown = 'shown';
const files = ['server.crt', 'server.key', 'server.pem'];

function make(directory: string): Certificates {
  const of = (name: string, options?: { authority: string; expired?: boolean }) => {
    const folder = join(directory, name);
    mkdirSync(folder);
    return makeCertificates(folder, options);
  };
  const first = of(shown);
  const authority = first.ca;
  of('good', { authority });
  of('expired', { authority, expired: true });
  return first;
}

export const certificates: Fault = {
  name: 'certificates',
  about: 'the broker shows a certificate that has expired; one that has is put in the place of the gRPC one',
  seconds: 25,
  scene(directory) {
    const { ca, server } = make(directory);
    return {
      kafka: { topics: 3, tls: { serverBundleFile: server.bundle, caFile: ca } },
      events: 1,
      // Makes KEDA connect again all the time.
      settings: { grpc: { tls: { certFile: server.cert, keyFile: server.key }, maxConnectionAgeSeconds: 3 } },
      credentials: credentials.createSsl(readFileSync(ca)),
    };
  },
  run(stage, seconds) {
    const { cluster } = stage.theKafka;
    const show = async (which: 'good' | 'expired') => {
      for (const file of files)
        copyFileSync(join(stage.directory, which, file), join(stage.directory, shown, file));
      await cluster.restart(1);
    };
    return rounds(stage, {
      seconds,
      brokenSeconds,
      graceMs,
      break: () => show('expired'),
      heal: () => show('good'),
    });
  },
};
