using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;

namespace MedMerge.AppHost;

/// <summary>
/// The <em>Kill</em> command of a silo: ends its process without notice, as a power cut would. For recovery drills.
/// </summary>
internal static class KillCommand
{
    public static IResourceBuilder<ProjectResource> WithKillCommand(this IResourceBuilder<ProjectResource> silo) =>
        silo.WithCommand("kill", "Kill", Kill, new CommandOptions
        {
            Description = "Kills the node's process without notice.",
            ConfirmationMessage = "Kill this node? Its work continues on another node from the last checkpoint.",
            IconName = "Flash",
            UpdateState = ResourceStates.EnabledWhileRunning,
        });

    private static Task<ExecuteCommandResult> Kill(ExecuteCommandContext context)
    {
        var replica = context.ResourceName;
        return Task.FromResult(
            FindProcessId(context, replica) is { } id && TryKill(id)
                ? CommandResults.Success($"{replica} was killed. Start brings it back.")
                : CommandResults.Failure($"{replica} has no running process."));
    }

    private static int? FindProcessId(ExecuteCommandContext context, string replica)
    {
        var notifications = context.Services.GetRequiredService<ResourceNotificationService>();
        if (!notifications.TryGetCurrentState(replica, out var current)) return null;
        var property = current.Snapshot.Properties.FirstOrDefault(property => property.Name == "executable.pid");
        return property?.Value is { } id ? Convert.ToInt32(id, CultureInfo.InvariantCulture) : null;
    }

    /// <summary>Kills the whole tree: the orchestrator starts <c>dotnet run</c>, whose child is the node.</summary>
    private static bool TryKill(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            process.Kill(entireProcessTree: true);
            return true;
        }
        catch (ArgumentException)
        {
            return false; // it has already exited
        }
    }
}
