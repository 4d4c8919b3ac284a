using System.Diagnostics;
using MedMerge.Testing;

namespace MedMerge.Cluster.Tests;

/// <summary>The command against a gateway, as a user runs it.</summary>
internal static class GatewayCommand
{
    /// <summary><c>medmerge submit</c>; gives the sweep's id.</summary>
    public static async Task<string> SubmitAsync(ServiceProcess gateway, string yaml)
    {
        var file = Path.Combine(Path.GetTempPath(), $"medmerge-{Guid.NewGuid():N}.yaml");
        await File.WriteAllTextAsync(file, yaml);
        try
        {
            string[] arguments = [Repository.Program("MedMerge.Cli"), "submit", file, "--gateway", gateway.Http.ToString()];
            var start = new ProcessStartInfo("dotnet", arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
            var id = (await process.StandardOutput.ReadToEndAsync(CancellationToken.None)).Trim();
            await process.WaitForExitAsync(CancellationToken.None);
            Assert.True(process.ExitCode == 0, $"{await error}\n{gateway.Log}");
            return id;
        }
        finally
        {
            File.Delete(file);
        }
    }
}
