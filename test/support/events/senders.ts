import type { InboundCloudEvent } from '../../../src/sources/inbound.ts';

/*
 * Events in their senders' own form, cut to the parts that matter here.
 */

const condition: Readonly<Record<string, [string, string]>> = {
  started: ['Unknown', 'Started'],
  running: ['Unknown', 'Running'],
  unknown: ['Unknown', 'Running'],
  successful: ['True', 'Succeeded'],
  failed: ['False', 'Failed'],
};

/** Tekton Pipelines: the whole object is in the data, its path is the source and its name the subject. */
export function tektonEvent(
  object: 'pipelinerun' | 'taskrun',
  word: keyof typeof condition,
): InboundCloudEvent {
  const [status, reason] = condition[word] ?? ['', ''];
  const kind = object === 'pipelinerun' ? 'PipelineRun' : 'TaskRun';
  const run = {
    apiVersion: 'tekton.dev/v1',
    kind,
    metadata: {
      name: 'build-x7k2p',
      generateName: 'build-',
      namespace: 'ci',
      uid: '5d7b9a52-run',
      resourceVersion: '118223',
      creationTimestamp: '2026-11-22T10:00:00Z',
      labels: { 'tekton.dev/pipeline': 'build' },
    },
    spec: { taskRunTemplate: { serviceAccountName: 'default' }, timeouts: { pipeline: '1h0m0s' } },
    status: {
      conditions: [
        {
          type: 'Succeeded',
          status,
          reason,
          message: 'Tasks Completed: 0',
          lastTransitionTime: '2026-11-22T10:00:01Z',
        },
      ],
    },
  };
  return {
    id: `${object}-${word}`,
    source: `/apis/tekton.dev/v1/namespaces/ci/${kind.toLowerCase()}s/build-x7k2p`,
    type: `dev.tekton.event.${object}.${word}.v1`,
    subject: 'build-x7k2p',
    timeMs: undefined,
    data: { [object === 'pipelinerun' ? 'pipelineRun' : 'taskRun']: run },
    extensions: {},
  };
}

/** CDEvents: context and subject are both in the data. The type ends with a version. */
export function cdEvent(subject: string, word: string): InboundCloudEvent {
  const type = `dev.cdevents.${subject}.${word}`;
  const source = 'https://ci.example.com';
  return {
    id: `cd-${type}`,
    source,
    type,
    subject: 'run-42',
    timeMs: undefined,
    data: {
      context: { version: '0.4.1', id: `cd-${type}`, source, type, timestamp: '2026-11-22T10:00:00Z' },
      subject: {
        id: 'run-42',
        source,
        type: subject,
        content: {
          pipelineName: 'build',
          url: 'https://ci.example.com/run-42',
          outcome: 'success',
          errors: '',
        },
      },
    },
    extensions: {},
  };
}

/** AWS CodePipeline as EventBridge sends it: JSON with `detail-type` and `detail`. */
export function codePipelineMessage(state: string, attempt = 1) {
  return {
    version: '0',
    id: `cwe-${state}-${attempt}`,
    'detail-type': 'CodePipeline Pipeline Execution State Change',
    source: 'aws.codepipeline',
    account: '123456789012',
    time: new Date().toISOString(),
    region: 'eu-central-1',
    resources: ['arn:aws:codepipeline:eu-central-1:123456789012:shop'],
    detail: {
      pipeline: 'shop',
      'execution-id': '01234567-0123-0123-0123-012345678901',
      'start-time': '2026-11-22T10:00:00.100Z',
      'execution-trigger': { 'trigger-type': 'StartPipelineExecution' },
      state,
      version: 3.0,
      'pipeline-execution-attempt': attempt,
    },
  };
}

/** The same as ingest passes it on: the whole message is the data. */
export function codePipelineEvent(state: string, attempt = 1): InboundCloudEvent {
  const message = codePipelineMessage(state, attempt);
  return {
    id: message.id,
    source: message.source,
    type: message['detail-type'],
    subject: message.resources[0],
    timeMs: Date.parse(message.time),
    data: message,
    extensions: { account: message.account, region: message.region },
  };
}
