/** The region of everything in the tests; moto keeps its queues by the region that a request is signed for. */
export const region = 'eu-central-1';
