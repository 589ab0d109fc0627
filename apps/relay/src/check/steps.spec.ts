import { expect, it } from 'vitest';

import { StepFailedError, Steps, type Step } from './steps.js';

it('what is found and why a step has failed are one line of bounded length without control characters (#122)', () => {
  const ended: Step[] = [];
  const steps = new Steps('http://b.example', (step) => ended.push(step));

  steps.pass('tls', 'a\u001b[2J\nb\u202e\u2028c');
  steps.fail('relay', new StepFailedError('CHECK_NO_RELAY', `\r\u009b${'é'.repeat(2_000)}`));

  expect(ended[0]).toMatchObject({ step: 'tls', detail: 'a?[2J?b??c' });
  expect(ended[1]).toMatchObject({ step: 'relay', cause: `??${'é'.repeat(998)}` });
});
