import { describe, expect, it } from 'vitest';
import { toReference } from '../../../src/grpc/service.ts';

describe('toReference', () => {
  it('takes a whole reference as it is', () => {
    const scalerMetadata = { source: 'kafka', scalerAddress: 'scaler:6000' };
    expect(toReference({ name: 'orders', namespace: 'shop', scalerMetadata })).toEqual({
      name: 'orders',
      namespace: 'shop',
      metadata: scalerMetadata,
    });
  });

  it('reports that it is missing', () => {
    expect(() => toReference(null)).toThrow('the request has no scaledObjectRef');
  });

  it('names everything that is missing', () => {
    expect(() => toReference({ name: '', namespace: '', scalerMetadata: {} })).toThrow(
      "the scaledObjectRef has no name, no namespace, no scalerMetadata (the trigger's metadata)",
    );
    expect(() => toReference({ name: 'orders', namespace: '', scalerMetadata: { source: 'kafka' } })).toThrow(
      /^the scaledObjectRef has no namespace$/,
    );
  });
});
