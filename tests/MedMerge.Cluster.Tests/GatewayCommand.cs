using MedMerge.Testing;

namespace MedMerge.Cluster.Tests;

/// <summary>The command, as a user runs it.</summary>
internal static class GatewayCommand
{
    /// <summary><c>medmerge submit</c>; gives the sweep's id.</summary>
    public static async Task<string> SubmitAsync(ServiceProcess gateway, string yaml)
    {
        var file = Path.Combine(Path.GetTempPath(), $"medmerge-{Guid.NewGuid():N}.yaml");
        await File.WriteAllTextAsync(file, yaml);
        try
        {
            return (await CommandProcess.RunAsync("submit", file, "--gateway", gateway.Http.ToString())).Trim();
        }
        catch (InvalidOperationException error)
        {
            throw new InvalidOperationException($"{error.Message}\n{gateway.Log}", error);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
