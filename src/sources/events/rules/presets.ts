import type { ItemState } from './fact.ts';

/** How one kind of event describes items of a backlog. Globs, except in `key` and `attempt`. */
export interface ItemRule {
  readonly type: string;
  readonly source?: string;
  readonly subject?: string;
  /** By JSON pointer into the event's data. */
  readonly data?: Readonly<Record<string, string>>;
  readonly state: ItemState;
  /** One attribute or pointer, or several together; of a list in it, the first that the event has. */
  readonly key: string | readonly (string | readonly string[])[];
  readonly attempt?: string;
}

export const presetNames = [
  'tekton-pipelinerun',
  'tekton-taskrun',
  'cdevents-pipelinerun',
  'cdevents-taskrun',
  'codepipeline',
] as const;
export type PresetName = (typeof presetNames)[number];

export const presets: Readonly<Record<PresetName, readonly ItemRule[]>> = {
  'tekton-pipelinerun': tekton('pipelinerun', '/pipelineRun/metadata/uid'),
  'tekton-taskrun': tekton('taskrun', '/taskRun/metadata/uid'),
  'cdevents-pipelinerun': cdevents('pipelinerun', { queued: 'queued', started: 'running' }),
  'cdevents-taskrun': cdevents('taskrun', { started: 'running' }),
  codepipeline: codePipeline({
    STARTED: 'running',
    RESUMED: 'running',
    STOPPING: 'running',
    SUCCEEDED: 'finished',
    FAILED: 'finished',
    STOPPED: 'finished',
    SUPERSEDED: 'finished',
    CANCELED: 'finished',
  }),
};

/** Tekton's CloudEvents (tekton.dev, "Events in Tekton"). By the uid: a name may be used again. */
function tekton(object: string, key: string): ItemRule[] {
  const states: Readonly<Record<string, ItemState>> = {
    started: 'queued',
    running: 'running',
    unknown: 'running',
    successful: 'finished',
    failed: 'finished',
  };
  return Object.entries(states).map(([word, state]) => ({
    type: `dev.tekton.event.${object}.${word}.*`,
    state,
    key,
  }));
}

/**
 * CDEvents (cdevents.dev), in whatever version; both end with `finished`. An ID is unique within its source, which is
 * that of the event where the subject names none (CDEvents spec, "Subject": `source`).
 */
function cdevents(subject: string, open: Readonly<Record<string, ItemState>>): ItemRule[] {
  const states: Readonly<Record<string, ItemState>> = { ...open, finished: 'finished' };
  return Object.entries(states).map(([word, state]) => ({
    type: `dev.cdevents.${subject}.${word}.*`,
    state,
    key: [['/subject/source', 'source'], '/subject/id'],
  }));
}

/**
 * AWS CodePipeline's executions through EventBridge (AWS CodePipeline User Guide, "Monitoring CodePipeline
 * events"). A retried execution keeps its ID, as another attempt.
 */
function codePipeline(states: Readonly<Record<string, ItemState>>): ItemRule[] {
  return Object.entries(states).map(([word, state]) => ({
    type: 'CodePipeline Pipeline Execution State Change',
    source: 'aws.codepipeline',
    data: { '/detail/state': word },
    state,
    key: '/detail/execution-id',
    attempt: '/detail/pipeline-execution-attempt',
  }));
}
