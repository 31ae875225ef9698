/**
 * Work that has to ask for something on its way: a generator that yields what it asks and gets the answer. The same
 * steps serve the blocking and the asynchronous calls.
 */
export type Steps<Question, Answer, Result> = Generator<Question, Result, Answer>;

/** Does the steps with answers at hand. */
export function drive<Q, A, R>(steps: Steps<Q, A, R>, answer: (question: Q) => A): R {
  return driveAsync(steps, answer) as R;
}

/** Does the steps with answers some of which take their time. Without those the result is there at once, no promise. */
export function driveAsync<Q, A, R>(steps: Steps<Q, A, R>, answer: (question: Q) => A | Promise<A>): R | Promise<R> {
  return follow(steps, answer, steps.next());
}

function follow<Q, A, R>(
  steps: Steps<Q, A, R>,
  answer: (question: Q) => A | Promise<A>,
  from: IteratorResult<Q, R>,
): R | Promise<R> {
  let next = from;
  while (!next.done) {
    let reply: A | Promise<A>;
    try {
      reply = answer(next.value);
    } catch (error) {
      next = steps.throw(error);
      continue;
    }
    if (reply instanceof Promise) {
      return reply.then(
        (value) => follow(steps, answer, steps.next(value)),
        (error) => follow(steps, answer, steps.throw(error)),
      );
    }
    next = steps.next(reply);
  }
  return next.value;
}
