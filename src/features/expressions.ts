import { InputError } from '#base';
import { parseFeature } from './registry.ts';

/** The request part of a feature expression, with all parameters: `macd/hist` -> `macd:12:26:9`. */
export function requestOf(expression: string): string {
  return parseFeature(expression.split('/')[0]!).text;
}

/** The column a feature expression names: `macd:12:26:9/hist` -> `macd_12_26_9_hist`. */
export function columnOf(expression: string): string {
  const [request, output = ''] = expression.split('/');
  const { definition, columns } = parseFeature(request!);
  const i = definition.outputs.findIndex((o) => o.suffix === output);
  if (i >= 0) return columns[i]!;
  const known = definition.outputs.map((o) => (o.suffix === '' ? request! : `${request}/${o.suffix}`));
  throw new InputError(
    `feature ${definition.name} has no output '${output}'`,
    `write one of ${known.join(', ')}`,
  );
}
