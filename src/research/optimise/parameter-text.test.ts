import { describe, expect, it } from 'vitest';
import { readStudyParameter } from './parameter-text.ts';

describe('what a study may vary, as a person writes it', () => {
  it.each([
    ['fast=5:60', 'fast', { kind: 'int', low: 5, high: 60 }],
    ['slow=20:200:5', 'slow', { kind: 'int', low: 20, high: 200, step: 5 }],
    ['stop=0.5:3', 'stop', { kind: 'float', low: 0.5, high: 3 }],
    ['stop=1.0:3', 'stop', { kind: 'float', low: 1, high: 3 }],
    ['stop=0.5:3:0.25', 'stop', { kind: 'float', low: 0.5, high: 3, step: 0.25 }],
    ['shift=-5:-1', 'shift', { kind: 'int', low: -5, high: -1 }],
    ['rate=log:1e-4:1e-1', 'rate', { kind: 'float', low: 1e-4, high: 0.1, log: true }],
    ['n=log:1:1000', 'n', { kind: 'int', low: 1, high: 1000, log: true }],
    ['mode=a,b', 'mode', { kind: 'categorical', choices: ['a', 'b'] }],
    ['mode=only', 'mode', { kind: 'categorical', choices: ['only'] }],
    ['on=true,false', 'on', { kind: 'categorical', choices: [true, false] }],
    ['n=1,2,5', 'n', { kind: 'categorical', choices: [1, 2, 5] }],
    [
      'band=1:3 if mode=bands,both',
      'band',
      { kind: 'int', low: 1, high: 3, when: { parameter: 'mode', in: ['bands', 'both'] } },
    ],
  ])('%s', (text, name, parameter) => {
    expect(readStudyParameter(text)).toEqual({ name, parameter });
  });

  it.each([
    ['5:60', /names no parameter/],
    ['=5:60', /names no parameter/],
    ['fast=', /value is missing/],
    ['fast=60:5', /60 down to 5/],
    ['fast=5:', /is not a number/],
    ['fast=5:x', /"x" is not a number/],
    ['fast=5:60:1:2', /a first and a last value/],
    ['fast=5:60:-1', /the step is -1/],
    ['rate=log:0:1', /cannot begin at 0/],
    ['rate=log:1:9:2', /takes no step/],
    ['mode=a,,b', /value is missing/],
    ['mode=a,a', /a twice/],
    ['mode=null', /cannot vary null/],
    ['band=1:3 if', /not a number|names no parameter/],
    ['band=1:3 if mode', /is no condition/],
  ])('refuses %s', (text, says) => {
    expect(() => readStudyParameter(text)).toThrow(says);
  });
});
