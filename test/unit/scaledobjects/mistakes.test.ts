import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Rules, validateInputs } from '../../../src/scaledobjects/validate.ts';
import { sources } from '../../../src/sources/index.ts';
import { loadExample } from '../../support/example-config.ts';
import { mistakes, rightConfig, rightJob, rightObject, written } from '../../support/mistakes.ts';

const enabled = 'enableTLS: "true"\n        ';
const reference = '      authenticationRef: { name: scaler }\n';
const authentication = (...parameters: readonly string[]): string => {
  const refs = parameters.map((parameter) => ({ parameter, name: 'scaler-tls', key: parameter }));
  const spec = JSON.stringify({ secretTargetRef: refs });
  return `---\nkind: TriggerAuthentication\nmetadata: { name: scaler, namespace: shop }\nspec: ${spec}\n`;
};

const { connections } = await loadExample(rightConfig);
const world = { sources, connections, maxStalenessSeconds: 60, refuseSecretsFromEnv: false };

const reportOf = (text: string) =>
  validateInputs([{ file: 'a.yaml', text }], { sources, namespace: '', world });

const faultsOf = (text: string) =>
  reportOf(text).faults.map(({ severity, message }) => `${severity}: ${message}`);

describe('validate', () => {
  it.each([rightObject, rightJob])('reports nothing for a right file', (text) => {
    const { faults, triggers, leftOpen } = reportOf(text);
    expect({ faults, triggers, leftOpen }).toEqual({ faults: [], triggers: 1, leftOpen: 0 });
  });

  it.each(mistakes)('$mistake', (mistake) => {
    const { faults } = reportOf(written(mistake));
    expect(faults.map(({ severity }) => severity)).toEqual([mistake.severity]);
    expect(faults[0]?.message).toMatch(mistake.says);
  });

  it('knows at least fifteen', () => {
    expect(mistakes.length).toBeGreaterThanOrEqual(15);
  });

  it('without a configuration skips only what a connection decides', () => {
    const foreign = rightObject.replace('connection: orders', 'connection: payments');
    expect(reportOf(foreign).faults).toHaveLength(1);
    const report = validateInputs([{ file: 'a.yaml', text: foreign }], { sources, namespace: '' });
    expect([report.faults, report.leftOpen]).toEqual([[], 1]);
  });

  describe('names what is needed and not in the files', () => {
    const pod = (more: string): string =>
      rightJob.replace('            image: runner:1\n', `            image: runner:1\n${more}`);
    const from = (name: string, more = ''): string =>
      `{ name: A, valueFrom: { secretKeyRef: { name: ${name}, key: token${more} } } }`;
    const env = (...members: readonly string[]): string => `            env: [${members.join(', ')}]\n`;
    const runners = pod(env(from('runners')));
    const secret = (data: string, namespace = 'ci'): string =>
      `---\nkind: Secret\nmetadata: { name: runners, namespace: ${namespace} }\nstringData: ${data}\n`;
    const named = (name: string, ...keys: readonly string[]) => ({
      kind: 'Secret',
      namespace: 'ci',
      name,
      keys,
    });
    const cluster = reference.replace(' }', ', kind: ClusterTriggerAuthentication }');
    const login = { kind: 'TriggerAuthentication', namespace: 'shop', name: 'scaler', keys: [] };

    it.each([
      ['a variable', runners, [named('runners', 'token')]],
      [
        'several',
        pod(env(from('runners'), from('runners'), from('others'))),
        [named('runners', 'token'), named('others', 'token')],
      ],
      ['one that may be missing', pod(env(from('runners', ', optional: true'))), []],
      [
        'all of a Secret',
        pod('            envFrom: [{ secretRef: { name: runners } }]\n'),
        [named('runners')],
      ],
      [
        'a volume',
        pod('        volumes: [{ name: a, secret: { secretName: runners } }]\n'),
        [named('runners')],
      ],
      ['a Secret that is there', runners + secret('{ token: a }'), []],
      ['a key that it lacks', runners + secret('{ other: a }'), [named('runners', 'token')]],
      ['one of another namespace', runners + secret('{ token: a }', 'shop'), [named('runners', 'token')]],
      ['a ScaledJob of other triggers', runners.replace('type: external', 'type: cron'), []],
      ['a login', rightObject + reference, [login]],
      ['a login that is there', rightObject + reference + authentication('caCert'), []],
      [
        'a login for all namespaces',
        rightObject + cluster,
        [{ ...login, kind: 'ClusterTriggerAuthentication', namespace: '' }],
      ],
    ])('%s', (_, text, expected) => {
      expect(reportOf(text).needs).toEqual(expected);
    });

    it('also of the Deployment that is scaled', () => {
      const deployment = (name: string): string =>
        `---\nkind: Deployment\nmetadata: { name: ${name}, namespace: shop }\nspec: { template: { spec: { initContainers: [{ env: [${from('db')}] }] } } }\n`;
      const needs = reportOf(rightObject + deployment('order-workers') + deployment('others')).needs;
      expect(needs).toEqual([{ ...named('db', 'token'), namespace: 'shop' }]);
    });
  });

  it('takes the value of a variable as unknown', () => {
    const text = rightObject
      .replace('topic: orders', 'topicFromEnv: TOPIC')
      .replace('lagThreshold: "50"', 'lagThresholdFromEnv: LAG');
    expect(faultsOf(text)).toEqual([]);
    expect(reportOf(text).leftOpen).toBe(1);
    expect(faultsOf(text.replace('lagThresholdFromEnv', 'lagTresholdFromEnv'))).toEqual([
      'error: "lagTresholdFromEnv": unknown key (did you mean "lagThreshold"?)',
    ]);
  });

  it('reports everything at once, by file and line', () => {
    const text = rightObject
      .replace('lagThreshold', 'lagTreshold')
      .replace('consumerGroup', 'group')
      .replace(':6000', '');
    const { faults } = validateInputs(
      [
        { file: 'b.yaml', text },
        { file: 'a.yaml', text: 'kind: [' },
      ],
      { sources, namespace: '' },
    );
    const places = ['b.yaml:11', 'b.yaml:13', 'b.yaml:16', 'b.yaml:18', 'a.yaml:1'];
    expect(faults.map(({ file, line }) => `${file}:${line}`)).toEqual(places);
  });

  it('notices two ScaledObjects of one workload, across files', () => {
    const other = rightObject.replace('name: order-workers\n  namespace', 'name: other\n  namespace');
    const { faults } = validateInputs(
      [
        { file: 'a.yaml', text: rightObject },
        { file: 'b.yaml', text: other },
      ],
      { sources, namespace: '' },
    );
    expect(faults).toMatchObject([{ file: 'b.yaml', line: 7, severity: 'error' }]);
    expect(faults[0]?.message).toContain(
      'ScaledObject order-workers (a.yaml) scales Deployment order-workers, too',
    );
  });

  describe('counting the same jobs', () => {
    const named = (name: string, more = ''): string =>
      rightJob.replace('name: runners', `name: ${name}`).replace('owner: acme\n', `owner: acme\n${more}`);
    const labels = (text: string): string => `        labels: ${text}\n`;
    const repos = (text: string): string => `        repos: ${text}\n`;
    const asObject = named('pool')
      .replace('ScaledJob', 'ScaledObject')
      .replace('external', 'external-push')
      .replace(/ {2}rollout[\s\S]*(?= {2}triggers)/, '  scaleTargetRef: { name: runners }\n');

    const doubled = (first: string, second: string, rules: Partial<Rules> = { world }) => {
      const inputs = [
        { file: 'a.yaml', text: first },
        { file: 'b.yaml', text: second },
      ];
      return validateInputs(inputs, { sources, namespace: '', ...rules }).faults.map(
        ({ file, where, severity, message }) => [file, where, severity, message.split(':')[0]],
      );
    };
    const counted = (kind: string, name: string): string[][] => [
      [
        'b.yaml',
        `${kind} ci/${name}, triggers[0]`,
        'warning',
        'counts jobs that ScaledJob ci/runners (a.yaml), triggers[0] counts too',
      ],
    ];

    it.each([
      ['a ScaledJob and a ScaledObject', rightJob, asObject, 'ScaledObject'],
      ['two ScaledJobs', rightJob, named('pool'), 'ScaledJob'],
      ['labels in another order and case', named('runners', labels('a,b')), named('pool', labels('B, A'))],
      ['all labels of one among those of the other', rightJob, named('pool', labels('gpu'))],
      ['a repository of all', rightJob, named('pool', repos('web'))],
      ['a repository in two spellings', named('runners', repos('web,api')), named('pool', repos('Acme/Web'))],
      ['one that names the connection', named('runners', '        connection: ci\n'), named('pool')],
    ])('is noticed: %s', (_, first, second, kind = 'ScaledJob') => {
      expect(doubled(first, second)).toEqual(counted(kind, 'pool'));
    });

    it.each([
      ['an object of which there are two copies', rightJob, rightJob],
      ['labels of their own', named('runners', labels('small')), named('pool', labels('large'))],
      ['other repositories', named('runners', repos('web')), named('pool', repos('api'))],
      ['labels that a variable has', rightJob, named('pool', '        labelsFromEnv: LABELS\n')],
      ['another source', rightJob, rightObject],
    ])('is not claimed of %s', (_, first, second) => {
      expect(doubled(first, second)).toEqual([]);
    });

    it('is noticed without a configuration where both say the same connection or owner', () => {
      expect(doubled(rightJob, named('pool'), {})).toEqual(counted('ScaledJob', 'pool'));
      const owner = (text: string, by: string): string => text.replace('owner: acme', by);
      expect(doubled(rightJob, owner(named('pool'), 'owner: other'), {})).toEqual([]);
      expect(doubled(rightJob, owner(named('pool'), 'connection: ci'), {})).toEqual([]);
      const [first, second] = [owner(rightJob, 'connection: ci'), owner(named('pool'), 'connection: ci')];
      expect(doubled(first, second, {})).toEqual(counted('ScaledJob', 'pool'));
      const web = named('runners', repos('web'));
      expect(doubled(web, named('pool', repos('acme/web')), {})).toEqual(counted('ScaledJob', 'pool'));
      expect(doubled(web, named('pool', repos('acme/api')), {})).toEqual([]);
    });

    it('is noticed where the connection has the repositories', async () => {
      const config = rightConfig.replace('    owner: acme\n', '    owner: acme\n    repos: [web]\n');
      const { connections } = await loadExample(config);
      const rules = { world: { ...world, connections } };
      expect(doubled(rightJob, named('pool', repos('web')), rules)).toEqual(counted('ScaledJob', 'pool'));
      expect(doubled(rightJob, named('pool', repos('api')), rules)).toEqual([]);
    });
  });

  it.each([
    ['rolloutStrategy: gradual', 0],
    ['rolloutStrategy: default\n  rollout: { strategy: gradual }', 1],
    ['rollout: { strategy: immediate }', 1],
    ['rollout: { propagationPolicy: foreground }', 1],
  ])('reads what KEDA does with Jobs of before: %s', (rollout, warnings) => {
    const text = rightJob.replace('rollout: { strategy: gradual }', rollout);
    expect(faultsOf(text)).toHaveLength(warnings);
  });

  it('notices a queue of another account than the role', async () => {
    const config = (more: string): string =>
      `connections:\n  jobs:\n    source: sqs\n    region: eu-central-1\n    namespaces: [shop]\n${more}`;
    const role = '    roleArn: arn:aws:iam::210987654321:role/queue-depth\n';
    const reported = async (queueURL: string, more = role) => {
      const { connections } = await loadExample(config(more));
      const text = rightObject.replace(
        /source: kafka[\s\S]*/,
        `source: sqs\n        connection: jobs\n        queueURL: ${queueURL}\n`,
      );
      const rules = { sources, namespace: '', world: { ...world, connections } };
      return validateInputs([{ file: 'a.yaml', text }], rules).faults;
    };
    const url = (account: string): string => `https://sqs.eu-central-1.amazonaws.com/${account}/thumbnails`;
    expect(await reported(url('123123123123'))).toMatchObject([
      {
        line: 16,
        severity: 'warning',
        message: expect.stringMatching(
          /^queueURL: is in account 123123123123, and the connection's roleArn is in 210987654321: name/,
        ),
      },
    ]);
    expect(await reported('/123123123123/thumbnails')).toHaveLength(1);
    expect(await reported(url('210987654321'))).toEqual([]);
    expect(await reported('thumbnails')).toEqual([]);
    expect(await reported(url('123123123123'), '')).toEqual([]);
    const emulated = `${role}    endpoint: http://localstack:4566\n`;
    expect(await reported('http://localstack:4566/000000000000/thumbnails', emulated)).toEqual([]);
  });

  it('names the connection of the account that a queue is in', async () => {
    const connection = (name: string, more: string): string =>
      `  ${name}:\n    source: sqs\n    region: eu-central-1\n    namespaces: ${more}\n`;
    const role = '\n    roleArn: arn:aws:iam::222222222222:role/depth';
    const reported = async (jobs: string, media: string) => {
      const config = `connections:\n${connection('jobs', jobs)}${connection('media', media)}`;
      const { connections } = await loadExample(config);
      const text = rightObject.replace(
        /source: kafka[\s\S]*/,
        'source: sqs\n        connection: jobs\n        queueURL: https://sqs.eu-central-1.amazonaws.com/222222222222/thumbnails\n',
      );
      const rules = { sources, namespace: '', world: { ...world, connections } };
      return validateInputs([{ file: 'a.yaml', text }], rules).faults.map(({ message }) => message);
    };
    const named =
      'queueURL: is in account 222222222222, which is that of connection "media" by its roleArn: name that connection, unless this one may read the queue';
    expect(await reported('[shop]', `[shop]${role}`)).toEqual([named]);
    expect(await reported(`[shop]${role.replaceAll('2', '1')}`, `[shop]${role}`)).toEqual([named]);
    expect(await reported(`[shop]${role}`, `[shop]${role}`)).toEqual([]);
    expect(await reported('[shop]', `[bank]${role}`)).toEqual([]);
    expect(await reported('[shop]', '[shop]')).toEqual([]);
  });

  it('names the connection of the account also where it is for another region, and without secrets', async () => {
    const config = `connections:
  jobs: { source: sqs, region: eu-central-1, namespaces: [shop] }
  partner: { source: sqs, region: us-east-1, roleArn: "arn:aws:iam::222222222222:role/depth", namespaces: [shop] }
`;
    const { connections } = await loadExample(config);
    const text = rightObject.replace(
      /source: kafka[\s\S]*/,
      'source: sqs\n        connection: jobs\n        queueURL: https://sqs.eu-central-1.amazonaws.com/222222222222/thumbnails\n',
    );
    const warnings = (rules: Partial<Rules>) =>
      validateInputs([{ file: 'a.yaml', text }], { sources, namespace: '', ...rules }).faults;
    const expected = [
      {
        line: 16,
        severity: 'warning',
        message:
          'queueURL: is in account 222222222222, which is that of connection "partner" by its roleArn: add one like it for eu-central-1, unless this one may read the queue',
      },
    ];
    expect(warnings({ world: { ...world, connections } })).toMatchObject(expected);
    expect(warnings({ connections })).toMatchObject(expected);
    expect(warnings({})).toEqual([]);
  });

  describe('compares runners with their trigger', () => {
    const env = (variables: Readonly<Record<string, string>>): string =>
      `            env: ${JSON.stringify(Object.entries(variables).map(([name, value]) => ({ name, value })))}\n`;
    const runner = '            image: runner:1\n';
    const job = (labels: string, variables: Readonly<Record<string, string>>): string =>
      rightJob
        .replace(runner, `${runner}${env(variables)}`)
        .replace('owner: acme\n', `connection: ci\n        labels: "${labels}"\n`);
    const differs =
      'warning: labels: are "gpu", and the runners register with LABELS "cpu": jobs would start runners that cannot take them; make both equal';
    const foreign =
      'warning: connection: counts jobs of "acme", and the runners register with ORG_NAME "other", so they get none of them';

    const narrow =
      'warning: RUNNER_SCOPE: is "repo", and the trigger counts jobs outside it: write org, or name in repos what the runners serve';
    const lasting =
      'warning: EPHEMERAL: is not "true", but the runner of a Job must end after one job: set it';

    it.each([
      ['gpu', { LABELS: 'gpu', ORG_NAME: 'Acme' }, []],
      ['b,A', { LABELS: 'a, B,linux' }, []],
      ['gpu', { OTHER: 'cpu' }, []],
      ['gpu', { LABELS: '$(LABEL)', ORG_NAME: '$(ORG)' }, []],
      ['gpu', { LABELS: 'cpu' }, [differs]],
      ['gpu', { LABELS: 'gpu', ORG_NAME: 'other' }, [foreign]],
      ['gpu', { RUNNER_SCOPE: 'org', EPHEMERAL: 'true' }, []],
      ['gpu', { RUNNER_SCOPE: 'Organization', EPHEMERAL: '1' }, []],
      ['gpu', { RUNNER_SCOPE: 'enterprise', EPHEMERAL: '$(EPHEMERAL)' }, []],
      ['gpu', { RUNNER_SCOPE: '$(SCOPE)', EPHEMERAL: 'true' }, []],
      ['gpu', { RUNNER_SCOPE: 'repo', EPHEMERAL: 'true' }, [narrow]],
      ['gpu"\n        repos: "web', { RUNNER_SCOPE: 'repo', EPHEMERAL: 'true' }, []],
      ['gpu"\n        repos: "web,api', { RUNNER_SCOPE: 'repo', EPHEMERAL: 'true' }, [narrow]],
      ['gpu', { RUNNER_SCOPE: 'org' }, [lasting]],
      ['gpu', { RUNNER_SCOPE: 'org', EPHEMERAL: 'false' }, [lasting]],
      ['gpu', { RUNNER_SCOPE: 'org', EPHEMERAL: '' }, [lasting]],
    ])('of a ScaledJob: %s %j', (labels, variables, expected) => {
      expect(faultsOf(job(labels, variables))).toEqual(expected);
    });

    it('also where the secrets of the connection are not here', () => {
      const [ci] = [...connections.values()].filter(({ name }) => name === 'ci');
      const partly = new Map([['ci', { ...(ci ?? expect.fail()), config: { owner: 'acme', scope: 'org' } }]]);
      const { faults } = validateInputs([{ file: 'a.yaml', text: job('gpu', { ORG_NAME: 'other' }) }], {
        sources,
        namespace: '',
        connections: partly,
      });
      expect(faults.map(({ severity, message }) => `${severity}: ${message}`)).toEqual([foreign]);
    });

    it.each([
      ['org', undefined, 'org', []],
      ['org', ['web'], 'repo', []],
      ['repo', undefined, 'repo', ['name in repos what the runners serve']],
      ['ent', undefined, 'ent', []],
      ['ent', undefined, 'org', ['write ent, or name in repos what the runners serve']],
      ['ent', ['acme/web', 'acme/api'], 'org', []],
      ['ent', ['acme/web', 'other/api'], 'org', ['write ent, or name in repos what the runners serve']],
    ])('scope %s of a connection with repos %j, and %s of the runners', (scope, repos, runners, remedies) => {
      const [ci] = [...connections.values()].filter(({ name }) => name === 'ci');
      const config = { owner: 'acme', scope, ...(repos && { repos }) };
      const text = job('gpu', { RUNNER_SCOPE: runners, EPHEMERAL: 'true' });
      const { faults } = validateInputs([{ file: 'a.yaml', text }], {
        sources,
        namespace: '',
        connections: new Map([['ci', { ...(ci ?? expect.fail()), config }]]),
      });
      expect(faults.map(({ message }) => message.split('outside it: ')[1])).toEqual(remedies);
    });

    it.each([
      '- { name: EPHEMERAL, valueFrom: { configMapKeyRef: { name: a, key: b } } }',
      '\n            envFrom: [{ configMapRef: { name: a } }]',
    ])('not what only the cluster knows: %s', (more) => {
      const text = rightJob.replace(
        runner,
        `${runner}            env:\n              - { name: RUNNER_SCOPE, value: org }\n              ${more}\n`,
      );
      expect(faultsOf(text)).toEqual([]);
    });

    it('of a Deployment in the same files', () => {
      const object = job('gpu', {})
        .replace('ScaledJob', 'ScaledObject')
        .replace('external', 'external-push')
        .replace(/ {2}rollout[\s\S]*(?= {2}triggers)/, '  scaleTargetRef: { name: runners }\n')
        .replace('  pollingInterval: 1\n', '');
      const deployment = (name: string): string => `---
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: ci }
spec:
  template:
    spec:
      containers:
        - name: runner
${env({ LABELS: 'cpu' }).slice(2)}`;
      expect(faultsOf(object + deployment('runners'))).toEqual([differs]);
      expect(faultsOf(object + deployment('others'))).toEqual([]);
    });
  });

  it.each([
    ['none', enabled, '', ['error 14 enableTLS: the gRPC port of the scaler has no TLS']],
    ['none', '', '', []],
    ['none', '', reference, ['warning 19 authenticationRef: only its caCert']],
    [undefined, '', reference, ['warning 19 authenticationRef: only its caCert']],
    [undefined, '', `${reference}${authentication('caCert')}`, []],
    [
      undefined,
      '',
      `${reference}${authentication('password')}`,
      ['warning 19 authenticationRef: only its caCert'],
    ],
    ['server', '', '', ['error 11 authenticationRef: is missing: the gRPC port of the scaler has TLS']],
    ['server', '', reference, []],
    ['server', '', `${reference}${authentication('caCert')}`, []],
    [
      'server',
      '',
      `${reference}${authentication('password')}`,
      [
        'error 19 authenticationRef: TriggerAuthentication scaler lacks caCert: the gRPC port of the scaler has TLS',
      ],
    ],
    [
      'server',
      enabled,
      '',
      ["warning 11 authenticationRef: is missing: KEDA would take the scaler's certificate"],
    ],
    ['server', `${enabled}unsafeSsl: "true"\n        `, '', []],
    ['mutual', '', reference, []],
    [
      'mutual',
      enabled,
      '',
      ['error 11 authenticationRef: is missing: the scaler takes only calls with a client'],
    ],
    [
      'mutual',
      '',
      `${reference}${authentication('caCert')}`,
      ['error 19 authenticationRef: TriggerAuthentication scaler lacks tlsClientCert or tlsClientKey'],
    ],
    ['mutual', '', `${reference}${authentication('caCert', 'tlsClientCert', 'tlsClientKey')}`, []],
    [
      'none',
      '',
      `${reference}${authentication('caCert')}`,
      ['error 19 authenticationRef: by the caCert of TriggerAuthentication scaler KEDA calls with TLS, and'],
    ],
    [
      'mutual',
      '',
      `${reference}${authentication('caCert').replace('kind: ', 'kind: Cluster')}`,
      [
        'warning 19 authenticationRef: these files have no TriggerAuthentication scaler, but a ClusterTriggerAuthentication of that name: write kind: ClusterTriggerAuthentication',
      ],
    ],
    [
      'server',
      '',
      `${reference.replace('scaler }', 'scaler, kind: ClusterTriggerAuthentication }')}${authentication('caCert')}`,
      [
        'warning 19 authenticationRef: these files have no ClusterTriggerAuthentication scaler, but a Trigger',
      ],
    ],
  ] as const)('compares TLS with the port: %s %j%j', (tls, key, more, expected) => {
    const text = rightObject.replace('source:', `${key}source:`) + more;
    const { faults } = validateInputs([{ file: 'a.yaml', text }], { sources, namespace: '', world, tls });
    const said = faults.map(({ severity, line, message }) => `${severity} ${line} ${message}`);
    expect(said).toEqual(expected.map((start) => expect.stringContaining(start)));
  });

  it('names the section that has the lines for TLS', () => {
    const rules = { sources, namespace: '', world, tls: 'mutual' as const };
    const [fault] = validateInputs([{ file: 'a.yaml', text: rightObject }], rules).faults;
    const [, page = '', section] = /; (docs\/\S+) has its lines: (.+)$/.exec(fault?.message ?? '') ?? [];
    expect(readFileSync(page, 'utf8')).toContain(`\n## ${section}\n`);
  });

  it('ignores triggers of other scalers', () => {
    const text = rightObject.replace('external-push', 'kafka');
    const { faults, triggers, otherTriggers } = reportOf(text);
    expect({ faults, triggers, otherTriggers }).toEqual({ faults: [], triggers: 0, otherTriggers: 1 });
  });
});
