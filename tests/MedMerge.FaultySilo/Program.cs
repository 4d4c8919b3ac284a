using MedMerge.FaultySilo;
using MedMerge.Silo;

// A silo that kills itself at a named point of its writes: KILL_AT=before|after:PREFIX:N, the N-th write under PREFIX.
var app = await SiloApplication.BuildAsync(args, store => new KillingObjectStore(store, KillPoint.Parse(Environment.GetEnvironmentVariable("KILL_AT")!))).ConfigureAwait(false);
await app.RunAsync().ConfigureAwait(false);
