using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using MedMerge.Gateway.Connections;
using MedMerge.Grains;
using MedMerge.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace MedMerge.Gateway.Endpoints;

/// <summary><c>/sweeps</c>: submitting, looking, steering.</summary>
internal static partial class SweepEndpoints
{
    /// <summary>Of the JSON; escapes can make a specification several times as long.</summary>
    private const int MaxBody = 8 * Submissions.MaxSpecification;

    public static void Map(RouteGroupBuilder api)
    {
        var sweeps = api.MapGroup("/sweeps").WithTags("sweeps");
        sweeps.MapPost("", SubmitAsync).WithSummary("Submits a specification whose files were uploaded before. Submitting it twice is submitting it once.")
            .WithMetadata(new RequestSizeLimitAttribute(MaxBody)).RequireRateLimiting(GatewayLimits.Plans)
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status413PayloadTooLarge);
        sweeps.MapGet("", ListAsync).WithSummary("All sweeps, the newest first.");

        var sweep = sweeps.MapGroup("/{id}").AddEndpointFilter(CheckKnownAsync).ProducesProblem(StatusCodes.Status404NotFound);
        sweep.MapGet("", (string id, ClusterConnection cluster) => cluster.Sweep(id).StatusAsync(-1)).WithSummary("Where a sweep and its trials are.");
        sweep.MapGet("/events", EventsAsync).WithSummary("The same as server-sent events: with every change, and at least every five seconds, until the sweep has ended.");
        sweep.MapPost("/pause", (string id, ClusterConnection cluster) => cluster.Sweep(id).PauseAsync()).WithSummary("Stops it until it is resumed.");
        sweep.MapPost("/resume", (string id, ClusterConnection cluster) => cluster.Sweep(id).ResumeAsync()).WithSummary("Goes on after a pause or a cancel; failed trials are tried again.");
        sweep.MapPost("/cancel", (string id, ClusterConnection cluster) => cluster.Sweep(id).CancelAsync()).WithSummary("Ends it. Results so far are kept.");
        ResultEndpoints.Map(sweep);
    }

    private static async Task<Results<Accepted<SweepStatus>, ProblemHttpResult>> SubmitAsync(SubmitRequest request, Submissions submissions, CancellationToken cancellation)
    {
        if (Submissions.IsTooLarge(request))
            return TypedResults.Problem($"The specification has more than {Submissions.MaxSpecification} bytes.", statusCode: StatusCodes.Status413PayloadTooLarge);
        var status = await submissions.StartAsync(request, cancellation).ConfigureAwait(false);
        return TypedResults.Accepted($"/api/v1/sweeps/{status.Id}", status);
    }

    private static async Task<Ok<List<SweepSummary>>> ListAsync(SweepStore sweeps, CancellationToken cancellation)
    {
        var lines = new List<SweepSummary>();
        foreach (var id in await sweeps.ListAsync(cancellation).ConfigureAwait(false))
        {
            try
            {
                if (await sweeps.FindAsync(id, cancellation).ConfigureAwait(false) is { } found) lines.Add(Line(id, found.Record));
            }
            catch (InvalidDataException damaged)
            {
                lines.Add(new SweepSummary(id, id, "Damaged", DateTimeOffset.MinValue, 0, 0, damaged.Message)); // the others are to be seen all the same
            }
        }
        return TypedResults.Ok(lines.OrderByDescending(line => line.Submitted).ToList());
    }

    private static SweepSummary Line(string id, SweepRecord record) =>
        new(id, record.Name, record.State, record.Submitted, record.Trials.Count, record.Trials.Count(trial => trial.State == nameof(WorkState.Done)), record.Reason);

    private static async Task<ServerSentEventsResult<SweepStatus>> EventsAsync(string id, ClusterConnection cluster, IHostApplicationLifetime lifetime, CancellationToken cancellation)
    {
        var sweep = cluster.Sweep(id);
        var first = await sweep.StatusAsync(-1).WaitAsync(cancellation).ConfigureAwait(false); // here a failure is still an answer of its own
        return TypedResults.ServerSentEvents(WatchAsync(sweep, first, lifetime.ApplicationStopping));
    }

    /// <summary>The grain answers with every change and every five seconds; the latter are heartbeats. Where it can't be asked the stream ends, and clients connect again.</summary>
    private static async IAsyncEnumerable<SseItem<SweepStatus>> WatchAsync(
        ISweepGrain sweep, SweepStatus first, CancellationToken stopping, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, cancellation);
        for (var status = first; status is not null; status = await NextAsync(sweep, status.Version, either.Token).ConfigureAwait(false))
        {
            yield return new SseItem<SweepStatus>(status, "status");
            if (status.HasEnded) yield break;
        }
    }

    private static async Task<SweepStatus?> NextAsync(ISweepGrain sweep, long seen, CancellationToken cancellation)
    {
        try
        {
            return await sweep.StatusAsync(seen).WaitAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception error) when (error is OperationCanceledException or TimeoutException or Orleans.Runtime.OrleansException)
        {
            return null;
        }
    }

    private static async ValueTask<object?> CheckKnownAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        var id = (string)http.Request.RouteValues["id"]!;
        var isKnown = Id().IsMatch(id) && await http.RequestServices.GetRequiredService<SweepStore>().FindAsync(id, http.RequestAborted).ConfigureAwait(false) is not null;
        return isKnown ? await next(context).ConfigureAwait(false) : TypedResults.Problem($"There is no sweep '{id}'.", statusCode: StatusCodes.Status404NotFound);
    }

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9-]{0,60}\z")]
    private static partial Regex Id();
}
