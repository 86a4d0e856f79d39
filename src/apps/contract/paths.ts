/** Every route of the server: id -> method and path. Free of schemas, so that a browser can load it alone. */
export const PATHS = {
  // who is there
  health: 'GET /api/health',
  issueToken: 'POST /auth/token',
  logIn: 'POST /api/v1/session',
  logOut: 'DELETE /api/v1/session',
  whoAmI: 'GET /api/v1/session',
  changePassword: 'POST /api/v1/session/password',
  enrolTotp: 'POST /api/v1/session/totp',
  confirmTotp: 'POST /api/v1/session/totp/confirm',
  newRecoveryCodes: 'POST /api/v1/session/totp/recovery',
  dropTotp: 'DELETE /api/v1/session/totp',
  ownSessions: 'GET /api/v1/sessions',
  endOtherSessions: 'DELETE /api/v1/sessions',
  revokeSession: 'DELETE /api/v1/sessions/{id}',
  tokens: 'GET /api/v1/tokens',
  createToken: 'POST /api/v1/tokens',
  revokeToken: 'DELETE /api/v1/tokens/{id}',
  users: 'GET /api/v1/users',
  createUser: 'POST /api/v1/users',
  changeUser: 'PATCH /api/v1/users/{id}',
  removeUser: 'DELETE /api/v1/users/{id}',
  audit: 'GET /api/v1/audit',
  security: 'GET /api/v1/security',
  saveSecurity: 'PUT /api/v1/security',
  // the routes of the Sigma sheet
  tradingStart: 'POST /api/trading/start',
  tradingStop: 'POST /api/trading/stop',
  tradingStatus: 'GET /api/trading/status',
  strategyCreate: 'POST /api/strategy/create',
  strategyApply: 'POST /api/strategy/apply',
  strategyList: 'GET /api/strategy/list',
  strategyActive: 'GET /api/strategy/active',
  performance: 'GET /api/performance',
  performanceHistory: 'GET /api/performance/history',
  balance: 'GET /api/balance',
  sigmaTrades: 'GET /api/trades',
  sigmaOpenTrades: 'GET /api/trades/open',
  breakerStatus: 'GET /api/circuit-breaker/status',
  breakerIssues: 'GET /api/circuit-breaker/issues',
  breakerRecover: 'POST /api/circuit-breaker/recover',
  breakerOverride: 'POST /api/circuit-breaker/override',
  notifications: 'GET /api/notifications',
  readNotification: 'POST /api/notifications/{id}/read',
  clearNotifications: 'DELETE /api/notifications',
  chat: 'POST /api/chat',
  // what runs
  portfolios: 'GET /api/v1/portfolios',
  overview: 'GET /api/v1/overview',
  equity: 'GET /api/v1/equity',
  // the market
  instruments: 'GET /api/v1/instruments',
  bars: 'GET /api/v1/bars',
  orderBook: 'GET /api/v1/book',
  indicators: 'GET /api/v1/indicators',
  // what was asked, got and held
  positions: 'GET /api/v1/positions',
  orders: 'GET /api/v1/orders',
  fills: 'GET /api/v1/fills',
  trades: 'GET /api/v1/trades',
  cancelOrder: 'POST /api/v1/orders/{id}/cancel',
  closePosition: 'POST /api/v1/positions/close',
  flatten: 'POST /api/v1/flatten',
  kill: 'POST /api/v1/kill',
  answerReview: 'POST /api/v1/reviews/{id}',
  // what was thought
  decisions: 'GET /api/v1/decisions',
  decision: 'GET /api/v1/decisions/{id}',
  signals: 'GET /api/v1/signals',
  sources: 'GET /api/v1/sources',
  gates: 'GET /api/v1/gates',
  // risk
  risk: 'GET /api/v1/risk',
  changeLimits: 'POST /api/v1/risk/limits',
  breaker: 'GET /api/v1/breaker',
  // desks by symbol and timeframe
  matrix: 'GET /api/v1/matrix',
  drift: 'GET /api/v1/drift/{desk}',
  tripKillSwitch: 'POST /api/v1/kill-switches/{name}/trip',
  resetKillSwitch: 'POST /api/v1/kill-switches/{name}/reset',
  // desks and configuration
  desks: 'GET /api/v1/desks',
  startDesk: 'POST /api/v1/desks/{name}/start',
  stopDesk: 'POST /api/v1/desks/{name}/stop',
  saveDeskParameters: 'PUT /api/v1/desks/{name}/parameters',
  deskHistory: 'GET /api/v1/desks/{name}/history',
  configuration: 'GET /api/v1/configuration',
  saveConfiguration: 'PUT /api/v1/configuration',
  configurationHistory: 'GET /api/v1/configuration/history',
  // research
  runs: 'GET /api/v1/runs',
  run: 'GET /api/v1/runs/{id}',
  compareRuns: 'GET /api/v1/runs/compare',
  sweep: 'GET /api/v1/sweeps/{id}',
  passport: 'GET /api/v1/passports/{hash}',
  models: 'GET /api/v1/models',
  jobs: 'GET /api/v1/jobs',
  job: 'GET /api/v1/jobs/{id}',
  startJob: 'POST /api/v1/jobs',
  cancelJob: 'DELETE /api/v1/jobs/{id}',
  jobReport: 'GET /api/v1/jobs/{id}/report',
  // the journal
  journal: 'GET /api/v1/journal',
  journalHead: 'GET /api/v1/journal/head',
  // alerts
  alertRules: 'GET /api/v1/alerts/rules',
  saveAlertRules: 'PUT /api/v1/alerts/rules',
  alerts: 'GET /api/v1/alerts',
  alertDeliveries: 'GET /api/v1/alerts/deliveries',
  acknowledgeAlert: 'POST /api/v1/alerts/{id}/acknowledge',
  testAlert: 'POST /api/v1/alerts/test',
  // the machine
  system: 'GET /api/v1/system',
  schedule: 'GET /api/v1/schedule',
  logs: 'GET /api/v1/logs',
} as const;

export type RouteId = keyof typeof PATHS;

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A route's method and its path with `{name}` for parameters. */
export function pathOf(id: RouteId): { readonly method: Method; readonly path: string } {
  const [method, path] = PATHS[id].split(' ') as [Method, string];
  return { method, path };
}
