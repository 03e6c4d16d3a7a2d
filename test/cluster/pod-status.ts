import { at, type Manifest } from '../chart/helm.ts';

export interface PodState {
  readonly phase: 'Running' | 'Succeeded' | 'Failed';
  readonly ready: boolean;
}

/** A kubelet's status for a pod whose containers are all alike. */
export function podStatus(pod: Manifest, { phase, ready }: PodState): Manifest {
  const now = new Date().toISOString().replace(/\.\d+/, '');
  const exitCode = phase === 'Succeeded' ? 0 : 1;
  const state =
    phase === 'Running'
      ? { running: { startedAt: now } }
      : { terminated: { exitCode, startedAt: now, finishedAt: now } };
  const containers = at(pod, 'spec', 'containers');
  return {
    phase,
    startTime: now,
    // Without the time, no pod is available in a Deployment with minReadySeconds.
    conditions: ['Ready', 'ContainersReady'].map((type) => ({
      type,
      status: ready ? 'True' : 'False',
      lastTransitionTime: now,
    })),
    containerStatuses: (Array.isArray(containers) ? containers : []).map((one) => ({
      name: at(one, 'name'),
      image: at(one, 'image'),
      imageID: '',
      ready,
      restartCount: 0,
      state,
    })),
  };
}
