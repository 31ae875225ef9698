/**
 * Work that has to ask for something on its way: a generator that yields what it asks and gets the answer. The same
 * steps serve the blocking and the asynchronous calls.
 */
export type Steps<Question, Answer, Result> = Generator<Question, Result, Answer>;

/** Does the steps with answers at hand. */
export function drive<Q, A, R>(steps: Steps<Q, A, R>, answer: (question: Q) => A): R {
  let next = steps.next();
  while (!next.done) {
    let reply: A;
    try {
      reply = answer(next.value);
    } catch (error) {
      next = steps.throw(error);
      continue;
    }
    next = steps.next(reply);
  }
  return next.value;
}

/** Does the steps with answers that take their time. */
export async function driveAsync<Q, A, R>(steps: Steps<Q, A, R>, answer: (question: Q) => A | Promise<A>): Promise<R> {
  let next = steps.next();
  while (!next.done) {
    let reply: A;
    try {
      reply = await answer(next.value);
    } catch (error) {
      next = steps.throw(error);
      continue;
    }
    next = steps.next(reply);
  }
  return next.value;
}
