/** The region of everything in the tests. moto keeps queues by the region in a request's signature. */
export const region = 'eu-central-1';
