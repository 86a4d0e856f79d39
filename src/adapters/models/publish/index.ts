export * from './mlflow.ts';
export { type MlflowPlace, readMlflowAddress } from './mlflow-link.ts';
export { type Patience, serverUrl } from './patient-http.ts';
export * from './published-files.ts';
export * from './s3.ts';
