using MedMerge.Gateway.Connections;
using MedMerge.Storage;

namespace MedMerge.Gateway.Endpoints;

/// <summary><c>/health/live</c>: the process serves. <c>/health/ready</c>: cluster and store answer.</summary>
internal static class HealthEndpoints
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public static void Map(WebApplication app)
    {
        app.MapGet("/health/live", () => TypedResults.Ok()).ExcludeFromDescription();
        app.MapGet("/health/ready", ReadyAsync).ExcludeFromDescription();
    }

    private static async Task<IResult> ReadyAsync(ClusterConnection cluster, IObjectStore store, CancellationToken cancellation)
    {
        var problems = await Task.WhenAll(
            ProblemAsync("The cluster", () => cluster.Nodes.ListAsync(), cancellation),
            ProblemAsync("The store", () => store.ReadAsync(SweepStore.Prefix + "ready", cancellation), cancellation)).ConfigureAwait(false);
        var found = problems.OfType<string>().ToList();
        return found.Count == 0 ? TypedResults.Ok() : TypedResults.Problem(string.Join('\n', found), statusCode: StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<string?> ProblemAsync(string what, Func<Task> ask, CancellationToken cancellation)
    {
        try
        {
            await ask().WaitAsync(Patience, cancellation).ConfigureAwait(false);
            return null;
        }
        catch (UnavailableException error)
        {
            return error.Message;
        }
        catch (Exception error) when (!cancellation.IsCancellationRequested)
        {
            return $"{what} does not answer: {error.Message}";
        }
    }
}
