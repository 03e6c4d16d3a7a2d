import { quote } from '../printable.ts';
import type { GivenBehavior, ScalingPolicy, ScalingRules } from '../scaling/hpa.ts';
import { type Mapping, mapping } from './yaml-values.ts';

export interface BehaviorFault {
  /** Below `behavior`. */
  readonly path: readonly string[];
  /** With the path in front: `behavior.scaleUp.policies: …`. */
  readonly message: string;
}

type Say = (path: readonly string[], message: string) => void;

/**
 * Reads a `behavior` as it is written, by the rules of the API server (pkg/apis/autoscaling/validation/validation.go). What is
 * wrong is left out of what is returned, so that it can always be played.
 */
export function readBehavior(written: Mapping): {
  readonly behavior: GivenBehavior;
  readonly faults: readonly BehaviorFault[];
} {
  const faults: BehaviorFault[] = [];
  const say: Say = (path, message) => {
    faults.push({ path, message: `behavior.${path.join('.')}: ${message}` });
  };
  const [scaleUp, scaleDown] = (['scaleUp', 'scaleDown'] as const).map((direction) => {
    const value = written[direction];
    const rules = mapping(value);
    if (rules !== undefined) return rulesIn(rules, direction, say);
    if (value !== undefined && value !== null) say([direction], 'must be a mapping');
    return undefined;
  });
  return { behavior: { scaleUp, scaleDown }, faults };
}

function rulesIn(written: Mapping, direction: string, say: Say): Partial<ScalingRules> {
  const read = <T>(key: string, parse: (value: unknown) => T | undefined, must: string): T | undefined => {
    const value = written[key];
    if (value === undefined || value === null) return undefined;
    const parsed = parse(value);
    if (parsed === undefined)
      say(
        [direction, key],
        `${must}, got ${quote(typeof value === 'string' ? value : JSON.stringify(value))}`,
      );
    return parsed;
  };
  const rules = {
    stabilizationWindowSeconds: read(
      'stabilizationWindowSeconds',
      (value) => wholeFrom(0, 3_600, value),
      'must be a whole number from 0 to 3600',
    ),
    selectPolicy: read(
      'selectPolicy',
      (value) => (['Max', 'Min', 'Disabled'] as const).find((one) => one === value),
      'must be Max, Min or Disabled',
    ),
    tolerance: read('tolerance', quantity, 'must be a number of at least 0, as 0.05'),
    policies: read(
      'policies',
      policiesIn,
      'must be a list of { type: Pods or Percent, value, periodSeconds }, with values above 0 and periods to 1800 s',
    ),
  };
  return Object.fromEntries(Object.entries(rules).filter(([, value]) => value !== undefined));
}

function policiesIn(value: unknown): readonly ScalingPolicy[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const policies: ScalingPolicy[] = [];
  for (const one of value) {
    const { type, value: amount, periodSeconds } = mapping(one) ?? {};
    const count = wholeFrom(1, 2 ** 31 - 1, amount);
    const period = wholeFrom(1, 1_800, periodSeconds);
    if ((type !== 'Pods' && type !== 'Percent') || count === undefined || period === undefined)
      return undefined;
    policies.push({ type, value: count, periodSeconds: period });
  }
  return policies;
}

function wholeFrom(least: number, most: number, value: unknown): number | undefined {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most
    ? Number(value)
    : undefined;
}

/** A quantity of Kubernetes, as far as a tolerance is written as one: 0.05, "0.05" or "50m". */
function quantity(value: unknown): number | undefined {
  const [, digits, suffix = ''] = /^(\d+\.?\d*|\.\d+)(|m|u|n|[eE][+-]?\d+)$/.exec(String(value)) ?? [];
  if (digits === undefined) return undefined;
  const exponents: Readonly<Record<string, string>> = { m: 'e-3', u: 'e-6', n: 'e-9' };
  return Number(digits + (exponents[suffix] ?? suffix));
}
