using MedMerge.Silo;

return await SiloApplication.RunAsync(args).ConfigureAwait(false);
