const text = { type: 'string' };
const flag = { type: 'boolean' };
const count = { type: 'integer' };
const texts = { type: 'array', items: text };
const textMap = { type: 'object', additionalProperties: text };

const object = (properties: object, required: readonly string[] = []): object => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

const helm = object({
  apiVersions: texts,
  fileParameters: { type: 'array', items: object({ name: text, path: text }) },
  ignoreMissingValueFiles: flag,
  kubeVersion: text,
  namespace: text,
  parameters: { type: 'array', items: object({ forceString: flag, name: text, value: text }) },
  passCredentials: flag,
  releaseName: text,
  skipCrds: flag,
  skipSchemaValidation: flag,
  skipTests: flag,
  valueFiles: texts,
  values: text,
  valuesObject: { type: 'object' },
  version: text,
});

const syncPolicy = object({
  automated: object({ allowEmpty: flag, enabled: flag, prune: flag, selfHeal: flag }),
  managedNamespaceMetadata: object({ annotations: textMap, labels: textMap }),
  retry: object({
    backoff: object({ duration: text, factor: count, maxDuration: text }),
    limit: count,
    refresh: flag,
  }),
  syncOptions: texts,
});

const ignoreDifference = object(
  {
    group: text,
    jqPathExpressions: texts,
    jsonPointers: texts,
    kind: text,
    managedFieldsManagers: texts,
    name: text,
    namespace: text,
  },
  ['kind'],
);

/**
 * The part of Argo CD's Application that a chart from a registry needs, and no key that Argo CD lacks. From
 * `spec.versions[v1alpha1]` of argoproj/argo-cd, manifests/crds/application-crd.yaml at commit 0252c02d.
 */
export const applicationSchema = object(
  {
    apiVersion: { const: 'argoproj.io/v1alpha1' },
    kind: { const: 'Application' },
    metadata: { type: 'object', required: ['name', 'namespace'] },
    spec: object(
      {
        destination: object({ name: text, namespace: text, server: text }),
        ignoreDifferences: { type: 'array', items: ignoreDifference },
        info: { type: 'array', items: object({ name: text, value: text }, ['name', 'value']) },
        project: text,
        revisionHistoryLimit: count,
        source: object({ chart: text, helm, path: text, repoURL: text, targetRevision: text }, ['repoURL']),
        syncPolicy,
      },
      ['destination', 'project', 'source'],
    ),
  },
  ['apiVersion', 'kind', 'metadata', 'spec'],
);

/** Argo CD ignores unknown options. These are from its docs/user-guide/sync-options.md. */
export const syncOptions = [
  'CreateNamespace=true',
  'FailOnSharedResource=true',
  'PruneLast=true',
  'ServerSideApply=true',
  'SkipDryRunOnMissingResource=true',
];
