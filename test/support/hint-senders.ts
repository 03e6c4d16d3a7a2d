import { z } from 'zod';
import { parseYaml } from '../../src/config/document.ts';
import { at, type ExampleRequest, example, manifest, resources, text } from './hint-examples.ts';

/*
 * Each system, as far as its example configures it. It turns an event into a request, with values from its Secret.
 * Everything else follows the system's own defaults.
 */

/** EventBridge with an API key connection. It sends the event unchanged. */
export function eventBridge(file: string, event: unknown, secret: string): ExampleRequest {
  const [connection] = resources(file, 'AWS::Events::Connection');
  const [destination] = resources(file, 'AWS::Events::ApiDestination');
  const key = at(connection, 'AuthParameters', 'ApiKeyAuthParameters');
  const value = text(at(key, 'ApiKeyValue')).replace(/\{\{resolve:secretsmanager:[^}]+\}\}/, secret);
  return {
    method: text(at(destination, 'HttpMethod')),
    url: new URL(text(at(destination, 'InvocationEndpoint'))),
    headers: {
      'User-Agent': 'Amazon/EventBridge/ApiDestinations',
      'Content-Type': 'application/json; charset=utf-8',
      Range: 'bytes=0-1048575',
      [text(at(key, 'ApiKeyName'))]: value,
    },
    body: JSON.stringify(event),
  };
}

const httpTrigger = z.object({
  url: z.string(),
  method: z.string().default('POST'),
  headers: z.record(z.string(), z.string()).default({}),
  secureHeaders: z.array(z.object({ name: z.string() })).default([]),
  payload: z.array(
    z.object({
      src: z.object({
        contextKey: z.string().optional(),
        dataKey: z.string().optional(),
        useRawData: z.boolean().default(false),
      }),
      dest: z.string(),
    }),
  ),
});

/** The HTTP trigger of an Argo Events sensor (pkg/sensors/triggers/http and params.go, v1.9). Keys have no dots. */
export function argoEvents(file: string, event: unknown, secret: string): ExampleRequest {
  const sensor = manifest(file, 'Sensor');
  const trigger = httpTrigger.parse(at(sensor, 'spec', 'triggers', 0, 'template', 'http'));
  const payload = trigger.payload.map(({ src, dest }) => {
    const value =
      src.dataKey === undefined ? at(event, 'context', src.contextKey ?? '') : at(event, 'data', src.dataKey);
    if (value === undefined) throw new Error(`the event has nothing for ${dest}`);
    const isBlock = typeof value === 'object';
    return [dest, isBlock && !src.useRawData ? JSON.stringify(value) : value] as const;
  });
  const secure = trigger.secureHeaders.map(({ name }) => [name, secret] as const);
  return {
    method: trigger.method,
    url: new URL(trigger.url),
    headers: { ...trigger.headers, ...Object.fromEntries(secure) },
    body: JSON.stringify(Object.fromEntries(payload)),
  };
}

/** Alertmanager's webhook receiver (notify/webhook). */
export function alertmanager(file: string, message: object, secret: string): ExampleRequest {
  const [config] = example(file);
  const receivers = z.array(z.looseObject({ name: z.string() })).parse(at(config, 'receivers'));
  const used = at(config, 'route', 'routes', 0, 'receiver');
  const webhook = at(
    receivers.find(({ name }) => name === used),
    'webhook_configs',
    0,
  );
  const authorization = at(webhook, 'http_config', 'authorization');
  text(at(authorization, 'credentials_file'));
  return {
    method: 'POST',
    url: new URL(text(at(webhook, 'url'))),
    headers: {
      'Content-Type': 'application/json',
      Authorization: `${text(at(authorization, 'type'))} ${secret}`,
    },
    body: JSON.stringify(message),
  };
}

const service = z.object({
  url: z.string(),
  headers: z.array(z.object({ name: z.string(), value: z.string() })),
});

/** A webhook of Argo CD's notifications (notifications-engine, pkg/services/webhook.go). Only `{{.app.…}}` is supported. */
export function argoCd(file: string, name: string, app: object, secret: string): ExampleRequest {
  const data = at(manifest(file, 'ConfigMap'), 'data');
  const { url, headers } = service.parse(yaml(at(data, 'service.webhook.backlog-scaler')));
  const webhook = at(yaml(at(data, `template.${name}`)), 'webhook', 'backlog-scaler');
  return {
    method: text(at(webhook, 'method')),
    url: new URL(url),
    headers: Object.fromEntries(
      headers.map(({ name, value }) => [name, value.replace('$backlog-scaler-token', secret)]),
    ),
    body: text(at(webhook, 'body')).replaceAll(/\{\{\.([\w.]+)\}\}/g, (_, path: string) =>
      text(at({ app }, ...path.split('.'))),
    ),
  };
}

/** The templates that Argo CD sends for an Application in this phase of its operation. */
export function argoCdTemplates(file: string, trigger: string, phase: string): unknown {
  const conditions = z
    .array(z.object({ when: z.string(), oncePer: z.string(), send: z.array(z.string()) }))
    .parse(yaml(at(manifest(file, 'ConfigMap'), 'data', `trigger.${trigger}`)));
  return conditions.filter(({ when }) => when.includes(`'${phase}'`)).flatMap(({ send }) => send);
}

/** Tekton's sink, and the proxy in front of it that adds a token. */
export function tekton(
  file: string,
  event: { headers: Readonly<Record<string, string>>; body: string },
  secret: string,
): ExampleRequest {
  const sink = new URL(text(at(manifest(file, 'ConfigMap', 'config-events'), 'data', 'sink')));
  const { name, namespace } = manifest(file, 'Service').metadata;
  if (sink.hostname !== `${name}.${text(namespace)}`) throw new Error('the sink is not the proxy');
  const conf = text(at(manifest(file, 'ConfigMap', name), 'data', 'default.conf.template'));
  const location = /location = (\S+) \{\s*proxy_pass (\S+);\s*proxy_set_header (\S+) "([^"]+)";/.exec(conf);
  const [, path, upstream, header = '', value = ''] = location ?? [];
  if (path !== sink.pathname) throw new Error('the proxy passes on another path than that of the sink');
  return {
    method: 'POST',
    url: new URL(path, upstream),
    headers: { ...event.headers, [header]: value.replace('${INGEST_TOKEN}', secret) },
    body: event.body,
  };
}

function yaml(value: unknown): unknown {
  const parsed = parseYaml(text(value));
  if (!('value' in parsed)) throw new Error(`no YAML: ${JSON.stringify(parsed)}`);
  return parsed.value;
}
