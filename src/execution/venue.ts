import type { ClientOrderId, OrderRequest } from '#ledger';

/** What the loop asks of a venue. Submitting increases exposure unless the order is reduce-only; the rest never does. */
export type VenueCommand =
  | { readonly kind: 'submit-order'; readonly order: OrderRequest }
  | {
      readonly kind: 'amend-order';
      readonly clientId: ClientOrderId;
      /** New total size (filled part included). */
      readonly lots: number;
      readonly limitTicks: number | null;
      readonly triggerTicks: number | null;
    }
  | { readonly kind: 'cancel-order'; readonly clientId: ClientOrderId; readonly reason: string }
  | { readonly kind: 'query-order'; readonly clientId: ClientOrderId };
