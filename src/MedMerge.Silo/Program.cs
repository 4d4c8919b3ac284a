using MedMerge;
using MedMerge.Silo;
using Microsoft.AspNetCore.Connections;

try
{
    var app = await SiloApplication.BuildAsync(args).ConfigureAwait(false);
    await app.RunAsync().ConfigureAwait(false);
    return Environment.ExitCode;
}
catch (OperationCanceledException)
{
    return 0; // asked to stop before it had started
}
catch (InputException problem)
{
    await Console.Error.WriteLineAsync($"error: {problem.Message}").ConfigureAwait(false);
    return 2;
}
catch (IOException problem) when (problem.InnerException is AddressInUseException)
{
    await Console.Error.WriteLineAsync($"error: {problem.Message} Choose another address with ASPNETCORE_URLS.").ConfigureAwait(false);
    return 2;
}
