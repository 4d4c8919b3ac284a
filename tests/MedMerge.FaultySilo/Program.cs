using MedMerge.FaultySilo;
using MedMerge.Silo;

// A silo that kills itself at a named point of its writes: KILL_AT=before|after:KIND:N, the N-th write of that kind; or whose device
// fails there: KILL_AT=device:KIND:N.
var point = KillPoint.Parse(Environment.GetEnvironmentVariable("KILL_AT")!);
return await SiloApplication.RunAsync(args, store => new KillingObjectStore(store, point)).ConfigureAwait(false);
