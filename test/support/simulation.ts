import { readScaledResources } from '../../src/scaledobjects/read.ts';
import type { ScaledResource } from '../../src/scaledobjects/scaled-resource.ts';
import type { Load } from '../../src/simulation/load.ts';
import { type Model, type Outcome, play, type Setting } from '../../src/simulation/play.ts';
import { changed, readChange, settingOf } from '../../src/simulation/settings.ts';
import { sources } from '../../src/sources/index.ts';
import { rightObject } from './mistakes.ts';

/** `rightObject`: Kafka, lagThreshold 50, at most 20 replicas. */
export function resource(text = rightObject): ScaledResource {
  const [found] = readScaledResources(text, 'a.yaml').resources;
  if (found === undefined) throw new Error('is no ScaledObject');
  return found;
}

/** `rightObject` with a change in the form of `--set`. Throws every fault. */
export function setting(change = '', text?: string): Setting {
  const read = change === '' ? { name: 'as written', values: new Map<string, string>() } : readChange(change);
  if (typeof read === 'string') throw new Error(read);
  const result = changed(resource(text), 0, read, 5);
  const made = settingOf(read.name, result.resource, 0, sources);
  const faults = [...result.faults, ...('faults' in made ? made.faults : [])];
  if (faults.length > 0 || 'faults' in made) throw new Error(faults.join('\n'));
  return made.setting;
}

/** Arrivals in each second. By default all are known, and nothing waits before them. */
export function loadFrom(arrivals: readonly number[], given: Partial<Load> = {}): Load {
  const known = new Uint8Array(arrivals.length).fill(1);
  return {
    startMs: 0,
    arrivals: Float64Array.from(arrivals),
    known,
    backlog: 0,
    replicas: 0,
    notes: [],
    ...given,
  };
}

export const usualModel: Model = {
  replicaRate: 5,
  podStartSeconds: 10,
  syncPeriodSeconds: 15,
  tolerance: 0.1,
  currentReplicas: undefined,
};

export function played(change: string, load: Load, model: Partial<Model> = {}): Outcome {
  return play(setting(change), load, { ...usualModel, ...model });
}
