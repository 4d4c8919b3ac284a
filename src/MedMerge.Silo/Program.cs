using MedMerge.Silo;

var app = await SiloApplication.BuildAsync(args).ConfigureAwait(false);
await app.RunAsync().ConfigureAwait(false);
