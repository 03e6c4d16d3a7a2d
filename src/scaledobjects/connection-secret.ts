import { type Login, openParameters } from './logins.ts';

/** The Secret with a connection's files: what mounts it, and how to make it. */
export interface ConnectionSecret {
  /** The entry of the chart's `secretMounts`, in YAML; undefined if the connection has no files. */
  readonly mount?: string;
  /** The Secret's keys. */
  readonly keys: readonly string[];
  /** What to do in a shell, in words and commands; a line each. */
  readonly steps: readonly string[];
}

/** KEDA's parameters by the file that holds the same. */
const parameterOf: Readonly<Record<string, string>> = {
  password: 'password',
  'client-secret': 'password',
  'ca.crt': 'ca',
  'tls.crt': 'cert',
  'tls.key': 'key',
  'key-password': 'keyPassword',
  token: 'personalAccessToken',
  'private-key.pem': 'appKey',
  'access-key-id': 'awsAccessKeyID',
  'secret-access-key': 'awsSecretAccessKey',
  'session-token': 'awsSessionToken',
};

/** Names that mean nothing to a shell, a template or YAML, as Kubernetes takes them. */
const plain = /^[A-Za-z0-9._-]+$/;

export function secretFor({
  name,
  settings,
  logins,
  scalerNamespace,
}: {
  readonly name: string;
  /** Its YAML, with the paths of its files. */
  readonly settings: readonly string[];
  readonly logins: readonly Login[];
  readonly scalerNamespace: string;
}): ConnectionSecret {
  const folder = `/etc/backlog-scaler-${name}/`;
  const files = settings.flatMap((line) =>
    line
      .split(folder)
      .slice(1)
      .map((rest) => /^[\w.-]+/.exec(rest)?.[0] ?? ''),
  );
  const secrets = logins.flatMap((login) => {
    const { parameter, secret, value } = login;
    const isPlain = secret !== undefined && plain.test(secret.name) && plain.test(secret.key);
    return isPlain ? [{ parameter, value, ...secret }] : [];
  });
  const get = (one: { namespace: string; name: string }): string =>
    `kubectl -n ${plain.test(one.namespace) ? one.namespace : 'NAMESPACE'} get secret ${one.name}`;
  const steps: string[] = [];
  const unread = secrets.filter(
    ({ parameter, value }) => value === undefined && openParameters.includes(parameter),
  );
  if (unread.length > 0) steps.push('Read what is no file:');
  for (const command of new Set(unread.map(get))) {
    const values = unread
      .filter((one) => get(one) === command)
      .map(({ parameter, key }) => `${parameter}: {{ index .data "${key}" | base64decode }}{{ "\\n" }}`);
    steps.push(`${command} -o go-template='${values.join('')}'`);
  }
  if (files.length === 0) return { keys: files, steps };
  const made = `backlog-scaler-${name}`;
  const known = files.flatMap((file) => {
    const found = secrets.find(({ parameter }) => parameter === parameterOf[file]);
    return found === undefined ? [] : [{ file, ...found }];
  });
  const [first] = known;
  // One command reads one Secret.
  const copied = known.filter((one) => one.name === first?.name);
  if (first !== undefined) {
    // JSON, which kubectl takes on one line; it reads no YAML that starts with a brace.
    const data = copied.map(({ file, key }) => `"${file}": "{{ index .data "${key}" }}"`).join(', ');
    const metadata = `"metadata": {"name": "${made}", "namespace": "${scalerNamespace}"}`;
    steps.push(
      `Make its Secret:`,
      `${get(first)} -o go-template='{"apiVersion": "v1", "kind": "Secret", ${metadata}, "data": {${data}}}' | kubectl apply -f -`,
    );
  }
  const missing = files.filter((file) => !copied.some((one) => one.file === file));
  if (missing.length > 0) {
    const what = `the key${missing.length === 1 ? '' : 's'} ${missing.join(', ')}`;
    steps.push(
      first === undefined
        ? `Make its Secret ${made} in namespace ${scalerNamespace}, with ${what}.`
        : `Add ${what} to Secret ${made}.`,
    );
  }
  return { mount: `{ name: ${name}, secretName: ${made} }`, keys: files, steps };
}
