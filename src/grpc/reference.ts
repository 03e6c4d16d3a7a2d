import { ScalerError } from '../errors.ts';
import type { Reference } from '../triggers/reference.ts';
import type { ScaledObjectRef__Output } from './generated/externalscaler/ScaledObjectRef.ts';

/** A ScaledObjectRef as it came from the wire, made safe; throws ScalerError naming all that is missing. */
export function toReference(ref: ScaledObjectRef__Output | null): Reference {
  if (ref === null) throw new ScalerError('invalid', 'the request has no scaledObjectRef');
  const { name, namespace, scalerMetadata: metadata } = ref;
  const missing: string[] = [];
  if (name === '') missing.push('name');
  if (namespace === '') missing.push('namespace');
  if (Object.keys(metadata).length === 0) missing.push("scalerMetadata (the trigger's metadata)");
  if (missing.length > 0) {
    throw new ScalerError('invalid', `the scaledObjectRef has no ${missing.join(', no ')}`);
  }
  return { name, namespace, metadata };
}
