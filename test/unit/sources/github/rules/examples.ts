import { createRequire } from 'node:module';
import { z } from 'zod';

const payload = z.looseObject({ action: z.string().optional() });
const catalogue = z.array(z.object({ name: z.string(), examples: z.array(z.looseObject({})) }));

export type Payload = z.infer<typeof payload>;

/** Real payloads of an event, given by users to @octokit/webhooks-examples. */
export function examplesOf(event: string): Payload[] {
  const raw: unknown = createRequire(import.meta.url)('@octokit/webhooks-examples');
  return catalogue
    .parse(raw)
    .filter(({ name }) => name === event)
    .flatMap(({ examples }) => examples.map((example) => payload.parse(example)));
}
