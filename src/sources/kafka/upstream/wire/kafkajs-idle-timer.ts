import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

/*
 * The queue of kafkajs 2.2.4 sets its timer for a throttle again each ms, for ever, from the first answer on; where
 * there was no throttle, by a negative time, of which Node 24 warns. Here it is set only while requests wait. Importing
 * this file does it, for the clients of kafkajs itself as well.
 */
const { prototype } = RequestQueue;
const schedule = prototype.scheduleCheckPendingRequests;

prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
  if (this.pending.length > 0) schedule.call(this);
};
