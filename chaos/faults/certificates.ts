import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { type Certificates, makeCertificates } from '../../test/support/certificates.ts';
import { type Fault, rounds } from '../fault.ts';

/** A scaler looks at its files every 10 s, and a broker that starts again needs some. */
const brokenSeconds = 12;
const graceMs = 3000;

/** What is shown, which is replaced, and what it is replaced by; all of one authority. */
interface Sets {
  readonly shown: Certificates;
  readonly good: Certificates;
  readonly expired: Certificates;
}

function setsIn(directory: string): Sets {
  const of = (name: string, options?: { authority: string; expired?: boolean }) => {
    const folder = join(directory, name);
    mkdirSync(folder);
    return makeCertificates(folder, options);
  };
  const shown = of('shown');
  const authority = shown.ca;
  return { shown, good: of('good', { authority }), expired: of('expired', { authority, expired: true }) };
}

let sets: Sets | undefined;

export const certificates: Fault = {
  name: 'certificates',
  about: 'the broker shows a certificate that has expired; one that has is put in the place of the gRPC one',
  seconds: 25,
  scene(directory) {
    sets = setsIn(directory);
    const { ca, server } = sets.shown;
    return {
      kafka: { topics: 3, tls: { serverBundleFile: server.bundle, caFile: ca } },
      events: 1,
      // KEDA dials anew all the time.
      settings: { grpc: { tls: { certFile: server.cert, keyFile: server.key }, maxConnectionAgeSeconds: 3 } },
      credentials: credentials.createSsl(readFileSync(ca)),
    };
  },
  run(stage, seconds) {
    const { cluster } = stage.theKafka;
    const show = async (which: 'good' | 'expired') => {
      if (sets === undefined) throw new Error('the scene has no certificates');
      const [from, to] = [sets[which].server, sets.shown.server];
      for (const file of ['cert', 'key', 'bundle'] as const) copyFileSync(from[file], to[file]);
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
