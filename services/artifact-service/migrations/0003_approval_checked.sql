-- Apart from its making, so that the table is not locked while its rows are looked through.
ALTER TABLE artifacts VALIDATE CONSTRAINT artifacts_approval_check;
