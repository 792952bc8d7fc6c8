// A customer's program on npm's smpp: binds, submits what standard input says, and tells on standard output what happens.
// node customer.js PORT SYSTEM_ID PASSWORD; one JSON object a line, in and out.
'use strict';
const readline = require('readline');
const smpp = require(require.resolve('smpp', { paths: [process.env.PEERS] }));

const [port, systemId, password] = process.argv.slice(2);
const tell = (what) => process.stdout.write(JSON.stringify(what) + '\n');
const session = smpp.connect({ url: `smpp://127.0.0.1:${port}`, auto_enquire_link_period: 1000 });

session.on('connect', () => {
  session.bind_transceiver({ system_id: systemId, password }, (pdu) => tell({ event: 'bound', status: pdu.command_status }));
});
session.on('deliver_sm', (pdu) => {
  session.send(pdu.response());
  const text = pdu.short_message.message;
  tell({
    event: 'delivered',
    from: pdu.source_addr,
    to: pdu.destination_addr,
    esm_class: pdu.esm_class,
    text: Buffer.isBuffer(text) ? text.toString('latin1') : text,
    udh: (pdu.short_message.udh || []).map((header) => header.toString('hex')),
    receipted: pdu.receipted_message_id,
    state: pdu.message_state,
  });
});
session.on('enquire_link_resp', () => tell({ event: 'alive' }));
session.on('close', () => tell({ event: 'closed' }));
session.on('error', (error) => tell({ event: 'error', text: String(error) }));

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const wish = JSON.parse(line);
  if (wish.unbind) {
    session.unbind(() => session.close());
    return;
  }
  const { tag, udh, ...fields } = wish;
  if (udh) {
    fields.short_message = { udh: Buffer.from(udh, 'hex'), message: fields.short_message };
  }
  session.submit_sm({ registered_delivery: 1, ...fields }, (pdu) =>
    tell({ event: 'answered', tag, status: pdu.command_status, id: pdu.message_id }),
  );
}).on('close', () => process.exit(0));
