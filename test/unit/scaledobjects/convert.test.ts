import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { convertInputs } from '../../../src/scaledobjects/convert.ts';
import { readScaledResources } from '../../../src/scaledobjects/read.ts';
import { validateInputs } from '../../../src/scaledobjects/validate.ts';
import { sources } from '../../../src/sources/index.ts';
import { loadExample } from '../../support/example-config.ts';
import { publicShapes } from '../../support/public-shapes.ts';

const settings = { sources, scalerAddress: 'backlog-scaler.keda:6000', namespace: '' };

function convert(text: string) {
  const { files, connections } = convertInputs([{ file: 'a.yaml', text }], settings);
  const [file] = files;
  if (file === undefined) throw new Error('nothing came');
  return { ...file, connections };
}

const configOf = ({ connections }: ReturnType<typeof convert>) =>
  ['connections:', ...connections.flatMap(({ lines }) => lines), ''].join('\n');

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
const serversOwn = ['resourceVersion', 'uid', 'generation', 'creationTimestamp', 'managedFields', 'status'];

/** Everything except KEDA's own triggers and what the API server and `kubectl apply` wrote. */
function rest(text: string): unknown {
  return parseAllDocuments(text, { merge: true }).map((document) =>
    JSON.parse(
      JSON.stringify(document.toJS(), (key, value) => {
        if (serversOwn.includes(key) || Object.hasOwn(value ?? {}, lastApplied)) return undefined;
        return key === 'triggers'
          ? value
              .filter(({ type }: { type: string }) => ['cpu', 'cron'].includes(type))
              .map(({ type }: { type: string }) => type)
          : value;
      }),
    ),
  );
}

describe('shapes of public ScaledObjects', () => {
  it('are at least twenty', () => {
    expect(publicShapes.length).toBeGreaterThanOrEqual(20);
  });

  it.each(publicShapes)('$shape', async ({ yaml, converted }) => {
    expect(readScaledResources(yaml, 'a').faults).toEqual([]);
    const made = convert(yaml);
    expect([made.faults, made.triggers]).toEqual([[], converted]);
    expect(rest(made.text)).toEqual(rest(yaml));
    // Comments and line ends stay.
    for (const comment of yaml.match(/# [^\r\n]*/g) ?? []) {
      if (comment !== '# by IRSA') expect(made.text).toContain(comment);
    }
    expect(made.text.replaceAll('\r\n', '').includes('\r')).toBe(false);
    expect(made.text.includes('\n') && !/[^\r]\n/.test(made.text)).toBe(yaml.includes('\r'));
    const again = convert(made.text);
    expect([again.text, again.triggers, again.connections]).toEqual([made.text, 0, []]);
    expect(made.connections.length > 0).toBe(converted > 0);
    // The result is a valid trigger, and a connection that lacks only what is not in the file.
    const report = validateInputs([{ file: 'a.yaml', text: made.text }], { sources, namespace: 'team' });
    expect(report.triggers).toBe(converted);
    expect(report.faults.filter(({ severity }) => severity === 'error')).toEqual([]);
    const config = parse(configOf(made));
    if (converted > 0) expect(Object.keys(config.connections)).toHaveLength(made.connections.length);
  });
});

describe('docs/migrate.md', () => {
  const text = readFileSync(new URL('../../../docs/migrate.md', import.meta.url), 'utf8');
  const diffs = [...text.matchAll(/^```diff\n(.*?)^```$/gms)].map(([, diff = '']) => {
    const side = (sign: string): string =>
      diff
        .split('\n')
        .filter((line) => line.startsWith(' ') || line.startsWith(sign))
        .map((line) => `${line.slice(1)}\n`)
        .join('');
    return { before: side('-'), after: side('+') };
  });

  it.each(diffs)('shows what convert makes', ({ before, after }) => {
    expect(convert(before).text).toBe(after);
  });
});

describe('convert', () => {
  const scram = publicShapes.find(({ shape }) => shape.startsWith('SCRAM'))?.yaml ?? '';

  it('names Secrets and their keys in the connection, and where the rest goes', async () => {
    const made = convert(scram);
    expect(configOf(made)).toMatchInlineSnapshot(`
      "connections:
        login:
          source: kafka
          bootstrapServers: [broker.kafka.svc:9092]
          tls: true
          sasl:
            mechanism: scram-sha-512
            username: TO-BE-FILLED-IN
            passwordFile: /etc/backlog-scaler-login/password
          namespaces: [team]
          # username: key "user" of Secret kafka (TriggerAuthentication login)
          # password: key "password" of Secret kafka (TriggerAuthentication login)
      "
    `);
    await expect(loadExample(configOf(made))).rejects.toThrow('sasl.username: is still TO-BE-FILLED-IN');
    const { connections } = await loadExample(configOf(made).replace('TO-BE-FILLED-IN', 'orders'));
    const world = { sources, connections, maxStalenessSeconds: 60, refuseSecretsFromEnv: true };
    const report = validateInputs([{ file: 'a.yaml', text: made.text }], { sources, namespace: '', world });
    expect([report.faults, report.leftOpen]).toEqual([[], 0]);
  });

  it('says which TriggerAuthentication is missing, and takes it from any file of the run', () => {
    const [object = '', authentication = ''] = scram.split('---\n');
    const missing = convert(object);
    expect(missing.notes.map(({ message }) => message)).toContain(
      'TriggerAuthentication login is not in these files, so its login and its TLS settings are missing from the connection: give its file too, or add them to the connection',
    );
    expect(configOf(missing)).toContain('# TriggerAuthentication login is not in these files');
    expect(configOf(missing)).toContain('      username: TO-BE-FILLED-IN\n');
    const inputs = [
      { file: 'a.yaml', text: object },
      { file: 'b.yaml', text: authentication },
    ];
    const { files, connections } = convertInputs(inputs, settings);
    expect(files.flatMap(({ notes }) => notes.map(({ message }) => message))).not.toContainEqual(
      expect.stringContaining('not in these files'),
    );
    expect(connections).toEqual(convert(scram).connections);
  });

  it.each([
    ['kafka', 'bootstrapServers: "k:9092", consumerGroup: g, topic: t', 'sasl.mechanism'],
    ['kafka', 'bootstrapServers: "k:9092", consumerGroup: g, topic: t, sasl: none, tls: enable', 'tls'],
    [
      'aws-sqs-queue',
      'queueURL: "https://sqs.eu-central-1.amazonaws.com/111111111111/a", awsRegion: eu-central-1',
      'credentials',
    ],
  ])('leaves the login open whose TriggerAuthentication is missing: %s %s', async (type, metadata, key) => {
    const made = convert(
      `apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: a, namespace: shop}\nspec:\n  scaleTargetRef: {name: a}\n  triggers:\n  - type: ${type}\n    metadata: {${metadata}}\n    authenticationRef: {name: login}\n`,
    );
    await expect(loadExample(configOf(made))).rejects.toThrow(`${key}: is still TO-BE-FILLED-IN`);
  });

  it('keeps the access key of a queue in files', async () => {
    const refs = ['awsAccessKeyID', 'awsSecretAccessKey'].map((parameter) => ({
      parameter,
      name: 'aws',
      key: parameter,
    }));
    const made = convert(
      `apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: a, namespace: shop}\nspec:\n  scaleTargetRef: {name: a}\n  triggers:\n  - type: aws-sqs-queue\n    metadata: {queueURL: "https://sqs.eu-central-1.amazonaws.com/111111111111/a", awsRegion: eu-central-1}\n    authenticationRef: {name: login}\n---\napiVersion: keda.sh/v1alpha1\nkind: TriggerAuthentication\nmetadata: {name: login, namespace: shop}\nspec: {secretTargetRef: ${JSON.stringify(refs)}}\n`,
    );
    const { connections } = await loadExample(configOf(made));
    expect(connections.get('eu-central-1')?.config).toMatchObject({ credentials: expect.anything() });
    expect(made.connections[0]?.keys).toEqual(['access-key-id', 'secret-access-key']);
    expect(made.connections[0]?.steps.join()).toContain(
      '"access-key-id": "{{ index .data "awsAccessKeyID" }}"',
    );
  });

  it('says that TLS was assumed where only the Secret knows', () => {
    const assumed = (text: string): string[] =>
      convert(text).notes.flatMap(({ message }) => (message.startsWith('tls:') ? [message] : []));
    const { yaml = '' } = publicShapes.find(({ shape }) => shape.startsWith('sasl and tls out of')) ?? {};
    expect(assumed(yaml)).toEqual([
      'tls: its value is only in key "tls" of Secret kafka, which is not in these files, so the connection was given TLS: remove tls from it if the value is "disable"',
    ]);
    expect(convert(yaml).notes.map(({ severity }) => severity)).not.toContain('error');
    expect(configOf(convert(yaml))).toContain('    tls: true\n');
    expect(assumed(scram)).toEqual([]);
  });

  it('takes the host from NATS’s monitoring port, and names the account that the credentials need', async () => {
    const { yaml = '' } = publicShapes.find(({ shape }) => shape.startsWith('a consumer of NATS')) ?? {};
    const made = convert(yaml);
    expect(configOf(made)).toMatchInlineSnapshot(`
      "connections:
        nats:
          source: nats
          servers: [nats://nats.nats.svc.cluster.local:4222] # port 4222 is usual for clients
          credentialsFile: /etc/backlog-scaler-nats/user.creds # of a user of account "SHOP"
          namespaces: [team]
      "
    `);
    const { connections } = await loadExample(configOf(made));
    const world = { sources, connections, maxStalenessSeconds: 60, refuseSecretsFromEnv: true };
    const report = validateInputs([{ file: 'a.yaml', text: made.text }], { sources, namespace: '', world });
    expect([report.faults, report.leftOpen]).toEqual([[], 0]);
  });

  it('leaves open what only a Secret knows', () => {
    const { yaml = '' } = publicShapes.find(({ shape }) => shape.startsWith('sasl and tls out of')) ?? {};
    const text = configOf(convert(yaml));
    expect(text).toContain(
      "    tls: true\n    sasl:\n      mechanism: TO-BE-FILLED-IN # plain, scram-sha-256, scram-sha-512 (KEDA's plaintext, scram_sha256, scram_sha512)\n",
    );
    expect(text).toContain('# sasl: key "sasl" of Secret kafka (ClusterTriggerAuthentication login)\n');
  });

  const fetched = `apiVersion: v1
kind: List
metadata:
  resourceVersion: ""
items:
- apiVersion: keda.sh/v1alpha1
  kind: ScaledObject
  metadata:
    creationTimestamp: "2026-11-01T08:00:00Z"
    annotations:
      kubectl.kubernetes.io/last-applied-configuration: |
        {"kind":"ScaledObject"}
    # who looks after it
    labels: { team: shop }
    generation: 3
    managedFields:
    - apiVersion: keda.sh/v1alpha1
      fieldsV1:
        f:spec: {}
      manager: kubectl
    name: order-workers
    namespace: shop
    resourceVersion: "81723"
    uid: 6b1f7a0e-1111-4222-8333-944445555666
  spec:
    scaleTargetRef: { name: order-workers }
    triggers:
    - type: kafka
      metadata: { bootstrapServers: "k:9092", consumerGroup: a, topic: b }
  status:
    conditions:
    - status: "True"
      type: Ready
    # the end of it
- apiVersion: keda.sh/v1alpha1
  kind: ScaledObject
  metadata: {"name": "other", "uid": "6b1f7a0e", "generation": 1}
  spec:
    scaleTargetRef: { name: other, generation: 1 }
    triggers:
    - type: cron
      metadata: { timezone: UTC, start: 0 8 * * *, end: 0 9 * * *, desiredReplicas: "1" }
  status: {}
- apiVersion: keda.sh/v1alpha1
  kind: TriggerAuthentication
  metadata:
    annotations:
      kubectl.kubernetes.io/last-applied-configuration: |
        {"kind":"TriggerAuthentication"}
      team: shop
    name: kafka-login
    uid: 6b1f7a0e
  spec: {}
`;
  const written = fetched
    .replace(/ {4}annotations:\n.*last-applied.*\n.*\n/, '')
    .replace(/ {6}kubectl.*last-applied.*\n.*\n/, '')
    .replace(/ {4}creationTimestamp.*\n/, '')
    .replace(/ {4}generation: 3\n {4}managedFields:\n(?: {4}[- ].*\n)+/, '')
    .replace(/ {4}resourceVersion: "8.*\n {4}uid.*\n/, '')
    .replace(/ {2}status:\n(?: {4}[^#\n]*\n)+/, '')
    .replace(', "uid": "6b1f7a0e", "generation": 1', '')
    .replace('  status: {}\n', '')
    .replace('    uid: 6b1f7a0e\n', '');

  describe("KEDA's own example, whose Secret has more than files", () => {
    const keys = ['sasl', 'username', 'password', 'ca', 'tls'];
    const refs = keys.map((key) => ({ parameter: key, name: 'keda-kafka-secrets', key }));
    const example = `apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: orders, namespace: shop }
spec:
  scaleTargetRef: { name: orders }
  triggers:
    - type: kafka
      metadata: { bootstrapServers: "kafka:9093", consumerGroup: g, topic: t }
      authenticationRef: { name: login }
---
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata: { name: login, namespace: shop }
spec: ${JSON.stringify({ secretTargetRef: refs })}
`;
    const secret = (tls: string, sasl = 'scram_sha512', namespace = 'shop'): string =>
      `---\napiVersion: v1\nkind: Secret\nmetadata: { name: keda-kafka-secrets, namespace: ${namespace} }\nstringData: { sasl: ${sasl}, username: admin }\ndata: { tls: ${btoa(tls)}, password: ${btoa('hunter2')} }\n`;
    const doubts = (text: string): string[] =>
      convert(text).notes.flatMap(({ message }) => (message.startsWith('tls:') ? [message] : []));

    it('reads what is no secret where the Secret is given, and nothing else', () => {
      const text = example + secret('enable');
      const made = configOf(convert(text));
      expect(made).toContain(
        '    sasl:\n      mechanism: scram-sha-512\n      username: admin\n      passwordFile: /etc/backlog-scaler-login/password\n',
      );
      expect(made).toContain('    tls: { caFile: /etc/backlog-scaler-login/ca.crt }\n');
      expect(doubts(text)).toEqual([]);
      expect(JSON.stringify([convert(text).connections, convert(text).notes])).not.toContain('hunter2');
      const plaintext = configOf(convert(example + secret('disable', 'none')));
      expect(plaintext).not.toMatch(/^ {4}(?:tls|sasl):/m);
      expect(configOf(convert(example + secret('enable', 'other')))).toContain('mechanism: TO-BE-FILLED-IN');
    });

    it.each([
      ['without tls', example.replace(/,\{"parameter":"tls"[^}]*\}/, ''), 1],
      ['with tls: disable', example + secret('disable'), 1],
      ['with tls: enable', example + secret('enable'), 0],
      ['with tls of a Secret that is not given', example, 0],
    ])('says that KEDA does not use a ca %s', (_, text, count) => {
      const made = convert(text);
      const said = made.notes.filter(({ message }) =>
        message.startsWith('ca: KEDA uses it only with tls: enable'),
      );
      expect(said).toHaveLength(count);
      expect(/^ {4}tls:/m.test(configOf(made))).toBe(count === 0);
    });

    it('takes no Secret of another namespace', () => {
      const text = example + secret('enable', 'scram_sha512', 'bank');
      expect(configOf(convert(text))).toContain('username: TO-BE-FILLED-IN');
      expect(doubts(text)).toHaveLength(1);
    });

    it('says how to make the Secret, and what mounts it', () => {
      const get = 'kubectl -n shop get secret keda-kafka-secrets -o go-template=';
      const make = `${get}'{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "backlog-scaler-login", "namespace": "keda"}, "data": {"ca.crt": "{{ index .data "ca" }}", "password": "{{ index .data "password" }}"}}' | kubectl apply -f -`;
      const mount = '{ name: login, secretName: backlog-scaler-login }';
      const value = (key: string): string => `${key}: {{ index .data "${key}" | base64decode }}{{ "\\n" }}`;
      expect(convert(example).connections).toMatchObject([
        {
          mount,
          steps: [
            'Read what is no file:',
            `${get}'${['sasl', 'username', 'tls'].map(value).join('')}'`,
            'Make its Secret:',
            make,
          ],
        },
      ]);
      expect(convert(example + secret('enable')).connections).toMatchObject([
        { mount, steps: ['Make its Secret:', make] },
      ]);
    });

    it('names what the old Secret does not have', () => {
      const { yaml = '' } = publicShapes.find(({ shape }) => shape.startsWith('a consumer of NATS')) ?? {};
      expect(convert(yaml).connections).toMatchObject([
        {
          mount: '{ name: nats, secretName: backlog-scaler-nats }',
          steps: ['Make its Secret backlog-scaler-nats in namespace keda, with the key user.creds.'],
        },
      ]);
    });

    it('writes no name into a command that a shell would run', () => {
      const made = convert(example.replaceAll('"keda-kafka-secrets"', JSON.stringify("a'; reboot #")));
      expect(made.connections.flatMap(({ steps }) => steps)).toEqual([
        'Make its Secret backlog-scaler-login in namespace keda, with the keys ca.crt, password.',
      ]);
    });
  });

  it('removes what the API server wrote, and keeps comments, order and the rest', () => {
    const made = convert(fetched);
    const kept = /^.*(?:triggers|type: |metadata: \{ (?!time)).*\n/gm;
    expect(made.text.replaceAll(kept, '')).toBe(written.replaceAll(kept, ''));
    expect([made.triggers, made.notes]).toEqual([1, []]);
    expect(convert(made.text).text).toBe(made.text);
  });

  it('does not touch a file without a converted trigger', () => {
    const text = fetched.replace('type: kafka', 'type: redis');
    expect(convert(text).text).toBe(text);
  });

  it('makes one connection for everything measured at one place, across files', () => {
    const { connections } = convertInputs(
      [
        { file: 'a', text: scram },
        { file: 'b', text: scram },
      ],
      settings,
    );
    expect(connections.map(({ name }) => name)).toEqual(['login']);
  });

  describe('of two connections that fit the same trigger', () => {
    const object = (name: string, type: string, metadata: string, login = '', namespace = 'shop'): string =>
      `apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec:\n  scaleTargetRef: {name: ${name}}\n  triggers:\n  - type: ${type}\n    metadata: {${metadata}}\n${login === '' ? '' : `    authenticationRef: {name: ${login}}\n`}`;
    const queue = (name: string, account: string, role: string): string =>
      object(
        name,
        'aws-sqs-queue',
        `queueURL: "https://sqs.eu-central-1.amazonaws.com/${account}/${name}", awsRegion: eu-central-1, awsRoleArn: "${role}"`,
      );
    const topic = (name: string, servers: string, login: string, namespace?: string): string =>
      object(
        name,
        'kafka',
        `bootstrapServers: "${servers}", consumerGroup: ${name}, topic: ${name}`,
        login,
        namespace,
      );
    const namesIn = (text: string): (string | undefined)[] =>
      parseAllDocuments(text).flatMap((one) => {
        const { triggers } = one.toJS().spec;
        return triggers === undefined ? [] : [triggers[0].metadata.connection];
      });

    it.each([
      [
        'two AWS accounts in one region',
        queue('a', '111111111111', 'arn:aws:iam::111111111111:role/depth'),
        queue('b', '222222222222', 'arn:aws:iam::222222222222:role/depth'),
        ['eu-central-1-111111111111', 'eu-central-1-222222222222'],
      ],
      [
        'two logins at the same brokers',
        topic('a', 'k0:9092,k1:9092', 'reader'),
        topic('b', 'K1:9092,k2:9092', 'auditor'),
        ['reader', 'auditor'],
      ],
      [
        'other brokers',
        topic('a', 'k0:9092', 'reader'),
        topic('b', 'other:9092', 'auditor'),
        [undefined, undefined],
      ],
      [
        'other namespaces',
        topic('a', 'k0:9092', 'reader'),
        topic('b', 'k0:9092', 'auditor', 'bank'),
        [undefined, undefined],
      ],
    ])('each trigger names its own: %s', async (_, a, b, names) => {
      const logins = ['shop/reader', 'shop/auditor', 'bank/auditor'].map((one) => {
        const [namespace, name] = one.split('/');
        return `---\napiVersion: keda.sh/v1alpha1\nkind: TriggerAuthentication\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: {}\n`;
      });
      const made = convert(`${a}---\n${b}${logins.join('')}`);
      expect(namesIn(made.text)).toEqual(names);
      const { connections } = await loadExample(configOf(made));
      const world = { sources, connections, maxStalenessSeconds: 60, refuseSecretsFromEnv: true };
      const report = validateInputs([{ file: 'a.yaml', text: made.text }], { sources, namespace: '', world });
      expect([report.faults, report.leftOpen]).toEqual([[], 0]);
    });

    it('across files', () => {
      const inputs = ['reader', 'auditor'].map((login) => ({
        file: login,
        text: topic(login, 'k0:9092', login),
      }));
      const { files } = convertInputs(inputs, settings);
      expect(files.flatMap(({ text }) => namesIn(text))).toEqual(['reader', 'auditor']);
    });
  });

  describe('for a podIdentity', () => {
    const trigger = (type: string, metadata: string): string =>
      `apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: a, namespace: shop}\nspec:\n  scaleTargetRef: {name: a}\n  triggers:\n  - type: ${type}\n    metadata: {${metadata}}\n    authenticationRef: {name: login}\n`;
    const queue = trigger(
      'aws-sqs-queue',
      'queueURL: "https://sqs.eu-central-1.amazonaws.com/111111111111/a", awsRegion: eu-central-1',
    );
    const topic = (sasl: string): string =>
      trigger(
        'kafka',
        `bootstrapServers: "k:9092", consumerGroup: g, topic: t, tls: enable, awsRegion: eu-central-1, ${sasl}`,
      );
    const role = 'arn:aws:iam::111111111111:role/depth';
    const converted = (object: string, podIdentity: string) =>
      convert(
        `${object}---\napiVersion: keda.sh/v1alpha1\nkind: TriggerAuthentication\nmetadata: {name: login, namespace: shop}\nspec: {podIdentity: {${podIdentity}}}\n`,
      );

    it('sqs assumes the same role', async () => {
      const made = converted(queue, `provider: aws, roleArn: "${role}"`);
      expect(configOf(made)).toContain(`    roleArn: ${role}\n`);
      expect(configOf(made)).toContain(
        `    # podIdentity: podIdentity "aws", roleArn "${role}" (TriggerAuthentication login)\n`,
      );
      expect(made.notes.filter(({ message }) => message.includes('carry over'))).toEqual([]);
      await loadExample(configOf(made));
    });

    it.each([
      [
        'sqs, by the operator',
        queue,
        'provider: aws',
        'podIdentity "aws" does not carry over: the scaler\'s ServiceAccount needs the role that KEDA\'s operator has',
      ],
      [
        'sqs, by the workload',
        queue,
        'provider: aws, identityOwner: workload',
        'podIdentity "aws", identityOwner "workload" does not carry over: the scaler\'s ServiceAccount needs the role that the workload\'s ServiceAccount has',
      ],
      [
        'sqs, by the workload, as older manifests have it',
        queue,
        'provider: aws-eks',
        'podIdentity "aws-eks" does not carry over: the scaler\'s ServiceAccount needs the role that the workload\'s ServiceAccount has',
      ],
      [
        'kafka, MSK IAM',
        topic('sasl: aws_msk_iam'),
        `provider: aws, roleArn: "${role}"`,
        `podIdentity "aws", roleArn "${role}" does not carry over: a connection of source kafka assumes no role; the scaler's ServiceAccount needs this one`,
      ],
      [
        'kafka, no MSK IAM',
        topic('sasl: none'),
        'provider: aws',
        'podIdentity "aws" does not carry over: a connection of source kafka has no such login; write its own into it',
      ],
      [
        'github',
        trigger('github-runner', 'owner: acme, runnerScope: org'),
        'provider: azure-workload',
        'podIdentity "azure-workload" does not carry over: a connection of source github has no such login; write its own into it',
      ],
      ['none', queue, 'provider: none', undefined],
    ])('reports what cannot be converted: %s', (_, object, podIdentity, message) => {
      const { notes, connections } = converted(object, podIdentity);
      const said = notes.filter((one) => one.message.startsWith('podIdentity'));
      expect(said.map((one) => [one.line, one.severity, one.message])).toEqual(
        message === undefined ? [] : [[9, 'warning', message]],
      );
      expect(JSON.stringify(connections)).not.toContain('roleArn:');
    });
  });

  it('removes secrets, and says so without showing them', () => {
    const made = convert(
      'apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: a}\nspec:\n  triggers:\n  - type: kafka\n    metadata:\n      bootstrapServers: b:9092\n      consumerGroup: g\n      password: hunter2\n',
    );
    expect(made.text).not.toContain('hunter2');
    expect(made.notes.map(({ line, message }) => [line, message])).toContainEqual([
      10,
      'password: is taken out: a secret, which belongs to the connection',
    ]);
    expect(JSON.stringify([made.notes, made.connections])).not.toContain('hunter2');
  });

  it('says what must stay', () => {
    const { yaml = '' } = publicShapes.find(({ shape }) => shape.startsWith('Kerberos')) ?? {};
    const made = convert(yaml);
    expect(made.text).toBe(yaml);
    expect(made.notes).toMatchObject([
      { severity: 'error', message: expect.stringContaining('no Kerberos') },
    ]);
  });

  const head = 'apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: a}\nspec:\n  triggers:\n';
  it.each([
    [
      '  - authenticationRef: {name: x}\n    useCachedMetrics: true\n    type: kafka\n    metadata:\n      password: p\n      key: k\n      consumerGroup: g\n',
      '  - type: external-push\n    metadata:\n      scalerAddress: backlog-scaler.keda:6000\n      source: kafka\n      consumerGroup: g\n',
    ],
    [
      '  - {type: kafka, metadata: {consumerGroup: g, password: p, key: k}, useCachedMetrics: true, authenticationRef: {name: x}}\n',
      '  - {type: external-push, metadata: {"scalerAddress": "backlog-scaler.keda:6000", "source": "kafka", consumerGroup: g}}\n',
    ],
  ])('removes neighboring keys: %j', (before, after) => {
    expect(convert(head + before).text).toBe(head + after);
  });
});

describe('a Secret beside the trigger', () => {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'login', namespace: 'shop' },
    data: { password: 'aHVudGVyMg==' },
  };
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };
  const list = (items: object[]) => ({ apiVersion: 'v1', items, kind: 'List' });
  it.each([
    ['documents', `${stringify(secret)}---\n${stringify(map)}---\n${stringify(secret)}`],
    ['a list', stringify(list([secret, map, secret]), { aliasDuplicateObjects: false })],
    ['JSON', JSON.stringify(list([secret, map, secret]))],
    ['JSON in lines', JSON.stringify(list([secret, map, secret]), undefined, 2)],
  ])('is left out of a copy, and stays in its own file: %s', (_, text) => {
    const made = (isCopy: boolean) => convertInputs([{ file: 'a', text }], { ...settings, isCopy }).files[0];
    expect(made(false)?.text).toBe(text);
    const copy = made(true);
    expect(copy?.notes.map(({ where, message }) => `${where} ${message}`)).toEqual(
      Array(2).fill('Secret shop/login is left out of the result, with its data'),
    );
    const left = parseAllDocuments(copy?.text ?? '').flatMap((one) => one.toJS() ?? []);
    expect(left.flatMap((one) => one.items ?? [one])).toEqual([map]);
  });
});
