import type { z } from 'zod';
import type { RouteId } from './paths.ts';

export const ROLES = ['viewer', 'trader', 'administrator'] as const;
export type Role = (typeof ROLES)[number];
export const SCOPES = ['read', 'trade', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** Who may call: a person needs the role, a program's token the scope as well. */
export type Access = 'anyone' | { readonly role: Role; readonly scope: Scope };

export const ANYONE: Access = 'anyone';
export const VIEWER: Access = { role: 'viewer', scope: 'read' };
export const TRADER: Access = { role: 'trader', scope: 'trade' };
export const ADMINISTRATOR: Access = { role: 'administrator', scope: 'admin' };

export interface RouteShape {
  readonly summary: string;
  readonly access: Access;
  /** Asks for a second confirmation: see {@link confirmationRequired}. Its body has `reason`. */
  readonly danger?: true;
  /** Status of success; 200 unless given. */
  readonly status?: 200 | 201 | 202 | 204;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** null: an answer without a body, or one that is not JSON. */
  readonly answer: z.ZodType | null;
  /** Media type of the answer; JSON unless given. */
  readonly produces?: string;
}

export type RouteTable = { readonly [K in RouteId]?: RouteShape };

/** A table of one area, checked but with its exact types kept. */
export function defineRoutes<const T extends RouteTable>(routes: T): T {
  return routes;
}

type Out<S> = S extends z.ZodType ? z.output<S> : undefined;
type In<S> = S extends z.ZodType ? z.input<S> : undefined;

/** What a handler receives. */
export interface Asked<R> {
  readonly params: R extends { readonly params: infer S } ? Out<S> : undefined;
  readonly query: R extends { readonly query: infer S } ? Out<S> : undefined;
  readonly body: R extends { readonly body: infer S } ? Out<S> : undefined;
}

/** What a caller sends. */
export interface Sent<R> {
  readonly params: R extends { readonly params: infer S } ? In<S> : undefined;
  readonly query: R extends { readonly query: infer S } ? In<S> : undefined;
  readonly body: R extends { readonly body: infer S } ? In<S> : undefined;
}

export type AnswerOf<R> = R extends { readonly answer: infer S } ? Out<S> : undefined;
