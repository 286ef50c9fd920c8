import { freshworks } from './freshworks.ts';

/**
 * Freshservice: the node "Trigger webhook" of the Workflow Automator. Both names of the wrapping object are
 * in use.
 */
export default freshworks('freshservice_webhook', 'freshdesk_webhook');
