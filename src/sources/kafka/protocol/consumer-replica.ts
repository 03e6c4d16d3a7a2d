/** The replica id of one who is no replica but a consumer. */
export const consumerReplicaId = -1;
