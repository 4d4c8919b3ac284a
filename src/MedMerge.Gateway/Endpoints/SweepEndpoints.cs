using MedMerge.Gateway.Access;
using MedMerge.Gateway.Connections;
using MedMerge.Gateway.Queries;
using MedMerge.Grains;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace MedMerge.Gateway.Endpoints;

/// <summary><c>/sweeps</c>: submitting, monitoring and controlling.</summary>
internal static class SweepEndpoints
{
    private const int DefaultLimit = 100, MaxLimit = 1000;

    public static void Map(RouteGroupBuilder api)
    {
        var sweeps = api.MapGroup("/sweeps").WithTags("sweeps");
        sweeps.MapPost("", SubmitAsync)
            .RequireAuthorization(Roles.Submitter)
            .WithSummary("Submits a specification whose files are already uploaded. Idempotent.")
            .WithMetadata(new RequestSizeLimitAttribute(Submissions.MaxBody))
            .RequireRateLimiting(GatewayLimits.Plans)
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge);
        sweeps.MapGet("", ListAsync)
            .WithSummary("Lists sweeps, newest first: `limit` of them, 100 where it is left out, after the one named `after`.");

        var sweep = sweeps.MapSweep();
        sweep.MapGet("", (string id, ClusterConnection cluster) => cluster.Sweep(id).StatusAsync(SweepStatus.NoVersion))
            .WithSummary("Gets the status of a sweep: counts, and the trials that run.");
        sweep.MapGet("/events", GetEventsAsync)
            .WithSummary(
                "Streams the status as server-sent events, on changes, at most once a second and at least every five, until the sweep "
                + "ends; with `trials=true` also the trials that have changed.");
        sweep.MapPost("/pause", (string id, ClusterConnection cluster) => ChangeAsync(cluster.Sweep(id).PauseAsync(), WorkState.Paused))
            .RequireAuthorization(Roles.Submitter)
            .WithSummary("Pauses a sweep until it is resumed.")
            .ProducesProblem(StatusCodes.Status409Conflict);
        sweep.MapPost("/resume", (string id, ClusterConnection cluster) => ChangeAsync(cluster.Sweep(id).ResumeAsync(), WorkState.Running))
            .RequireAuthorization(Roles.Submitter)
            .WithSummary("Resumes a paused or cancelled sweep; failed trials run again.")
            .ProducesProblem(StatusCodes.Status409Conflict);
        sweep.MapPost("/cancel", (string id, ClusterConnection cluster) =>
                ChangeAsync(cluster.Sweep(id).CancelAsync(), WorkState.Cancelled))
            .RequireAuthorization(Roles.Submitter)
            .WithSummary("Cancels a sweep; results so far are kept.")
            .ProducesProblem(StatusCodes.Status409Conflict);
        SteeringEndpoints.Map(sweep);
        ResultEndpoints.Map(sweep);
    }

    private static Task<List<SweepSummary>> ListAsync(SweepQueries queries, int? limit, string? after, CancellationToken cancellation) =>
        queries.ListAsync(Math.Clamp(limit ?? DefaultLimit, 1, MaxLimit), after, cancellation);

    private static async Task<Results<Accepted<SweepStatus>, ProblemHttpResult>> SubmitAsync(
        SubmitRequest request,
        Submissions submissions,
        CancellationToken cancellation)
    {
        if (Submissions.IsTooLarge(request)) return CreateTooLarge();
        var status = await submissions.StartAsync(request, cancellation);
        return TypedResults.Accepted($"/api/v1/sweeps/{status.Id}", status);
    }

    /// <summary>The answer to a specification that exceeds <see cref="Submissions.MaxSpecification"/>.</summary>
    public static ProblemHttpResult CreateTooLarge() => TypedResults.Problem(
        $"The specification has more than {Submissions.MaxSpecification} bytes.",
        statusCode: StatusCodes.Status413PayloadTooLarge);

    /// <summary>Answers with the status, or with a conflict where the sweep's state does not allow the change.</summary>
    /// <param name="wanted">The state that the change leads to; a sweep that is in it already stays there.</param>
    private static async Task<Results<Ok<SweepStatus>, ProblemHttpResult>> ChangeAsync(Task<SweepStatus> change, WorkState wanted)
    {
        var status = await change;
        if (status.State == wanted) return TypedResults.Ok(status);
        return TypedResults.Problem(
            $"The sweep '{status.Id}' is {status.State}, so it can't become {wanted}.",
            statusCode: StatusCodes.Status409Conflict);
    }

    private static async Task<ServerSentEventsResult<object>> GetEventsAsync(
        string id,
        bool? trials,
        ClusterConnection cluster,
        IHostApplicationLifetime lifetime,
        ILoggerFactory loggers,
        CancellationToken cancellation)
    {
        var sweep = cluster.Sweep(id);
        var events = new SweepEvents(id, sweep, loggers.CreateLogger<SweepEvents>());
        var first = await sweep.StatusAsync(SweepStatus.NoVersion).WaitAsync(cancellation); // a failure here still gets an error response
        return TypedResults.ServerSentEvents(events.WatchAsync(first, trials == true, lifetime.ApplicationStopping));
    }
}
