import type { Param } from '../params/schema.ts';
import { commonParams, kedaSecretKeys } from '../triggers/common-params.ts';
import type { Said } from '../triggers/resolve.ts';
import type { ParameterView } from './view.ts';

/** Every parameter of a trigger with where its value is from. No secret and nothing of a `…FromEnv` is in it. */
export function parameterViews({ given, source }: Said): readonly ParameterView[] {
  const table: [string, Param<unknown>][] = Object.entries({
    ...commonParams.table,
    ...source?.params.table,
  });
  const keys = source?.connectionKeys ?? {};
  const known = table.map(([name]) => name);
  const others = [...given.keys()].filter(
    (name) => !known.includes(name) && (Object.hasOwn(keys, name) || name === 'scalerAddress'),
  );
  const isSecret = (name: string): boolean =>
    kedaSecretKeys.includes(name) || (Object.hasOwn(keys, name) && keys[name]?.secret === true);
  const found = (name: string, fallback: string): ParameterView => {
    const one = given.get(name);
    if (one === undefined) return { name, value: fallback, origin: 'default', hidden: false };
    const origin = one.key === name ? 'metadata' : 'FromEnv';
    const hidden = origin === 'FromEnv' || isSecret(name);
    return { name, value: hidden ? '' : one.value, origin, hidden };
  };
  return [
    ...table.map(([name, { defaultText }]) => found(name, defaultText)),
    ...others.map((name) => found(name, '')),
  ];
}
