import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

/*
 * From the first answer on, the queue of kafkajs 2.2.4 sets its throttle timer every ms, forever. Without a throttle the time
 * is negative, and Node 24 warns. Here the timer is set only while requests wait. Importing this file applies it to
 * kafkajs's own clients as well.
 */
const { prototype } = RequestQueue;
const schedule = prototype.scheduleCheckPendingRequests;

prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
  if (this.pending.length > 0) schedule.call(this);
};
