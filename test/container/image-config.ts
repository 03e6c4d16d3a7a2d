import { z } from 'zod';

/** The fields of the OCI image specification about how an image runs. */
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

/** Parses the output of `buildah inspect`. */
export function imageConfig(json: unknown): ImageConfig {
  return inspected.parse(json).OCIv1.config;
}

/** `A=1` of each, as a program gets it. */
export function environmentOf({ Env }: ImageConfig): Record<string, string> {
  return Object.fromEntries(
    Env.map((each) => {
      const at = each.indexOf('=');
      return [each.slice(0, at), each.slice(at + 1)];
    }),
  );
}
