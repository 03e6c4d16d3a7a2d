import type { Manifest } from '../chart/helm.ts';

/**
 * What scales a workload: this scaler, this scaler with `surge: "false"`, this scaler as KEDA before 2.21 calls it, or
 * KEDA's own scaler for Kafka.
 */
export type Way = 'nudged' | 'pushed' | 'old' | 'keda';

/** Workloads whose records need a number of replicas. */
export interface Row {
  readonly name: string;
  readonly about: string;
  /** This many for each way. */
  readonly workloads: number;
  readonly ways: readonly Way[];
  readonly from?: 0 | 1;
  readonly to: number;
  /** For each workload. A second trigger wants fewer replicas than the first. */
  readonly triggers?: 1 | 2;
  /** Of the HPA. By default KEDA sets none. */
  readonly behavior?: Manifest;
  /**
   * All workloads of a way get their records at once, and the ways take turns. By default, workloads get them one after
   * the other, one of each way at a time.
   */
  readonly atOnce?: boolean;
}

const freely = {
  scaleUp: { stabilizationWindowSeconds: 0, policies: [{ type: 'Pods', value: 100, periodSeconds: 15 }] },
};
const from0: Row = { name: 'from-0', about: '0 -> 20', workloads: 6, ways: ['nudged', 'keda'], to: 20 };
const eight: Row = {
  ...from0,
  name: 'eight',
  about: '8 at once, 0 -> 20',
  workloads: 8,
  ways: ['nudged', 'pushed', 'keda'],
  atOnce: true,
};

/** The rows of `npm run test:cluster`. */
export const usual: readonly Row[] = [
  from0,
  { ...from0, name: 'freed', about: '0 -> 20, scaleUp of 100 pods in 15 s', behavior: freely },
  { ...from0, name: 'running', about: '1 -> 20', from: 1 },
  eight,
  {
    ...from0,
    name: 'two-triggers',
    about: '0 -> 20 by one of two triggers',
    workloads: 3,
    ways: ['nudged'],
    triggers: 2,
  },
];

/** Rows that take longer: see `SURGE_ROWS` in CONTRIBUTING.md. */
export const longer: readonly Row[] = [
  { ...from0, name: 'hundred', about: '0 -> 100', workloads: 4, to: 100 },
  { ...eight, name: 'forty', about: '40 at once, 0 -> 20', workloads: 40 },
  {
    ...eight,
    name: 'two-hundred',
    about: '200 at once, 0 -> 20',
    workloads: 200,
    ways: ['nudged', 'pushed'],
  },
];

/** KEDA's operator is replaced in the middle. */
export const replaced: Row = { ...from0, name: 'replaced', workloads: 3, ways: ['nudged'], atOnce: true };

/** Nudges cannot work here, because of the cluster, or of KEDA's contract. */
export const withoutGate: Row = { ...from0, ways: ['nudged', 'pushed'] };
export const withoutStream: Row = { ...from0, workloads: 3, ways: ['old'] };
