// A requester that uses iExec's library: signs for its app, asks for tasks, and
// makes a deal of that and the pool's offer in orders.json. Answers with the deal.
import { readFileSync } from 'node:fs';
import { IExec, utils } from 'iexec';

const wish = JSON.parse(process.argv[2]);
const signer = utils.getSignerFromPrivateKey(wish.node, wish.key);
const iexec = new IExec({ ethProvider: signer }, { hubAddress: wish.hub });
const offer = JSON.parse(readFileSync('orders.json', 'utf8'))[wish.chain].workerpoolorder;

await iexec.account.deposit(wish.deposit);
const apporder = await iexec.order.signApporder(
  await iexec.order.createApporder({ app: wish.app, volume: wish.volume }),
);
const requestorder = await iexec.order.signRequestorder(
  await iexec.order.createRequestorder({
    app: wish.app,
    workerpool: offer.workerpool,
    workerpoolmaxprice: offer.workerpoolprice,
    category: offer.category,
    volume: wish.volume,
    trust: wish.trust,
    params: { iexec_args: wish.args },
  }),
  { preflightCheck: false },
);
const { dealid, volume } = await iexec.order.matchOrders(
  { apporder, requestorder, workerpoolorder: offer },
  { preflightCheck: false },
);
const { tasks } = await iexec.deal.show(dealid);
console.log(JSON.stringify({ deal: dealid, volume: Number(volume), tasks }));
