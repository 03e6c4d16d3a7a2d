import { z } from 'zod';

/** What the OCI image specification lets an image say of how it is run. */
const inspected = z.object({
  OCIv1: z.object({
    config: z.object({
      User: z.string(),
      WorkingDir: z.string(),
      Entrypoint: z.array(z.string()),
      Cmd: z.array(z.string()),
      Env: z.array(z.string()),
      ExposedPorts: z.record(z.string(), z.unknown()),
      Labels: z.record(z.string(), z.string()),
    }),
  }),
});

export type ImageConfig = z.infer<typeof inspected>['OCIv1']['config'];

/** Reads what `buildah inspect` prints. */
export function imageConfig(json: unknown): ImageConfig {
  return inspected.parse(json).OCIv1.config;
}

/** `A=1` of each, as a program is given it. */
export function environmentOf({ Env }: ImageConfig): Record<string, string> {
  return Object.fromEntries(
    Env.map((each) => {
      const at = each.indexOf('=');
      return [each.slice(0, at), each.slice(at + 1)];
    }),
  );
}
