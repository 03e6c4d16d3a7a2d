import { z } from 'zod';
import { Faults, type Path, valueAt } from './document.ts';
import { validate } from './validate.ts';

/** Of the gRPC port. Mutual: callers must show a certificate. */
export type PortTls = 'none' | 'server' | 'mutual';

/** A setting of `tls` that names a Secret of the user's, and the keys that the chart mounts of it. */
export interface TlsSecret {
  readonly path: Path;
  readonly secretName: string;
  readonly keys: readonly string[];
}

interface Said {
  readonly path: Path;
  readonly text: string;
}

const name = z.string().min(1);
const duration = z
  .string()
  .regex(/^([0-9]+(ms|s|m|h))+$/, 'must be a duration such as 720h')
  .optional();

/**
 * As values.schema.json of the chart has it. To Helm, null removes a default: only a setting without need of one can be
 * null.
 */
export const tlsSchema = z.strictObject({
  enabled: z.boolean().optional(),
  existingSecret: z.string().nullish(),
  clientCaSecret: z.string().nullish(),
  allowedClientNames: z.array(name).nullish(),
  certManager: z
    .strictObject({
      enabled: z.boolean().optional(),
      issuerRef: z
        .strictObject({ name: z.string().nullish(), kind: name.optional(), group: name.optional() })
        .optional(),
      duration,
      renewBefore: duration,
      dnsNames: z.array(name).nullish(),
      client: z
        .strictObject({
          enabled: z.boolean().optional(),
          namespace: z.string().nullish(),
          commonName: name
            .max(64)
            .regex(
              /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/,
              'must be letters, digits, dots and dashes, with a letter or digit at both ends',
            )
            .optional(),
        })
        .optional(),
    })
    .optional(),
});

/** As `backlog-scaler.clientCaSecret` of the chart has it. Takes whatever stands at `tls`, whether it has faults or not. */
export function tlsOf(tls: unknown): PortTls {
  if (valueAt(tls, ['enabled']) !== true) return 'none';
  const isKedas = isByCertManager(tls) && valueAt(tls, ['certManager', 'client', 'enabled']) !== false;
  return textAt(tls, ['clientCaSecret']) !== '' || isKedas ? 'mutual' : 'server';
}

/** What the schema and the templates (_tls.tpl, _refusals.tpl, certificates.yaml) of the chart refuse of `tls`. */
export function tlsFaults(tls: unknown): readonly Said[] {
  const faults = new Faults();
  if (tls !== undefined) validate(tlsSchema, tls, { at: ['tls'], expanded: new Set() }, faults);
  if (valueAt(tls, ['enabled']) !== true) return faults.list;
  const refuse = (path: Path, text: string): void => {
    if (!faults.has(['tls', ...path])) faults.add(['tls', ...path], text);
  };
  if (isByCertManager(tls)) {
    if (textAt(tls, ['certManager', 'issuerRef', 'name']) === '')
      refuse(['certManager', 'issuerRef', 'name'], 'is required: name the issuer');
  } else if (textAt(tls, ['existingSecret']) === '') {
    const text = 'is required: name a Secret with tls.crt and tls.key, or set tls.certManager.enabled';
    refuse(['existingSecret'], text);
  }
  if (hasNames(tls) && tlsOf(tls) !== 'mutual') {
    const text = 'needs tls.clientCaSecret, since clients show no certificate without it';
    refuse(['allowedClientNames'], text);
  }
  return faults.list;
}

/** An authority of the user's, by which more than KEDA may call. */
export function* openToClients(tls: unknown): Generator<Said> {
  if (tlsOf(tls) === 'none' || textAt(tls, ['clientCaSecret']) === '' || hasNames(tls)) return;
  const path = ['tls', 'clientCaSecret'];
  yield { path, text: `tls.clientCaSecret: ${everyClient('tls.allowedClientNames')}` };
}

/** Why clients should be named, and where. */
export function everyClient(setting: string): string {
  return `every certificate of this authority may call: write the names that may into ${setting}, such as that of KEDA's certificate`;
}

/** The Secrets that must be there before the pod starts; those of cert-manager are not the user's. */
export function* tlsSecrets(tls: unknown): Generator<TlsSecret> {
  if (tlsOf(tls) === 'none') return;
  const [server, clients] = [textAt(tls, ['existingSecret']), textAt(tls, ['clientCaSecret'])];
  if (server !== '' && !isByCertManager(tls))
    yield { path: ['tls', 'existingSecret'], secretName: server, keys: ['tls.crt', 'tls.key'] };
  if (clients !== '') yield { path: ['tls', 'clientCaSecret'], secretName: clients, keys: ['ca.crt'] };
}

function isByCertManager(tls: unknown): boolean {
  return valueAt(tls, ['certManager', 'enabled']) === true;
}

function hasNames(tls: unknown): boolean {
  return valueAt(tls, ['allowedClientNames', 0]) !== undefined;
}

function textAt(tls: unknown, path: Path): string {
  const value = valueAt(tls, path);
  return typeof value === 'string' ? value : '';
}
