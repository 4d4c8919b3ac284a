using MedMerge;
using MedMerge.Silo;

try
{
    var app = await SiloApplication.BuildAsync(args).ConfigureAwait(false);
    await app.RunAsync().ConfigureAwait(false);
    return Environment.ExitCode;
}
catch (OperationCanceledException)
{
    return 0; // told to end before it began
}
catch (InputException problem)
{
    await Console.Error.WriteLineAsync($"error: {problem.Message}").ConfigureAwait(false);
    return 2;
}
