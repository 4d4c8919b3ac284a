using MedMerge.Gateway.Access;
using MedMerge.Gateway.Connections;
using MedMerge.Gateway.Queries;
using MedMerge.Grains;
using MedMerge.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace MedMerge.Gateway.Endpoints;

/// <summary>Which trials to try again.</summary>
/// <param name="Trials">Their numbers; null for all that have failed or are quarantined.</param>
/// <param name="Kind">Only those that failed of this kind; null for any.</param>
internal sealed record RetryRequest(IReadOnlyList<int>? Trials = null, FailureKind? Kind = null);

/// <summary>What to change of a sweep's limits; null leaves a limit as it is, and 0 removes it.</summary>
internal sealed record LimitRequest(int? Parallel = null, int? Priority = null, int? Trials = null, double? DeviceHours = null);

/// <summary><c>/sweeps/{id}/…</c>: trials, and what is changed while a sweep runs.</summary>
internal static class SteeringEndpoints
{
    private const int MaxPriority = 100;

    /// <summary>Maps the endpoints.</summary>
    /// <param name="sweep">The group of one sweep.</param>
    public static void Map(RouteGroupBuilder sweep)
    {
        sweep.MapGet("/trials", GetTrialsAsync)
            .WithSummary("Gets a page of trials: `count` of them from number `from`, all or those of a `state` or a failure's `kind`.");
        sweep.MapPost("/retry", RetryAsync)
            .RequireAuthorization(Roles.Submitter)
            .WithSummary("Tries trials again that have ended without a result: those named, or all, or all that failed of a kind.")
            .ProducesProblem(StatusCodes.Status400BadRequest);
        sweep.MapPost("/trials/{number:int}/skip", SkipAsync)
            .RequireAuthorization(Roles.Submitter)
            .WithSummary("Stops a trial, or does not begin it.")
            .ProducesProblem(StatusCodes.Status400BadRequest);
        sweep.MapPatch("/limits", LimitAsync)
            .RequireAuthorization(Roles.Operator)
            .WithSummary("Changes how many trials run at a time, the priority and the budget. What is left out stays; 0 removes a limit.")
            .ProducesProblem(StatusCodes.Status400BadRequest);
        sweep.MapPost("/extend", (string id, SubmitRequest request, Submissions submissions, CancellationToken cancellation) =>
                submissions.ExtendAsync(id, request, cancellation))
            .RequireAuthorization(Roles.Submitter)
            .WithSummary("Takes a larger specification: trials that it shares with the one before keep their results.")
            .WithMetadata(new RequestSizeLimitAttribute(Submissions.MaxBody))
            .RequireRateLimiting(GatewayLimits.Plans)
            .ProducesProblem(StatusCodes.Status400BadRequest);
        sweep.MapDelete("", RemoveAsync)
            .RequireAuthorization(Roles.Operator)
            .WithSummary("Removes a sweep that has ended, with the stages that only it used.")
            .ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static Task<TrialPage> GetTrialsAsync(
        string id,
        ClusterConnection cluster,
        int? from,
        int? count,
        WorkState? state,
        FailureKind? kind) =>
        cluster.Sweep(id).TrialsAsync(new TrialQuery(from ?? 1, count ?? TrialPage.MaxTrials, state, kind));

    private static Task<SweepStatus> RetryAsync(string id, RetryRequest request, ClusterConnection cluster) =>
        CheckedAsync(() => cluster.Sweep(id).RetryAsync(new TrialChoice(request.Trials ?? [], request.Kind)));

    private static Task<SweepStatus> SkipAsync(string id, int number, ClusterConnection cluster) =>
        CheckedAsync(() => cluster.Sweep(id).SkipAsync(number));

    /// <summary>Changes limits of a sweep.</summary>
    /// <exception cref="InputException">A limit is out of range.</exception>
    public static async Task<SweepStatus> LimitAsync(string id, LimitRequest request, ClusterConnection cluster)
    {
        if (request is { Parallel: < 0 } or { Trials: < 0 } or { DeviceHours: < 0 } || Math.Abs(request.Priority ?? 0) > MaxPriority)
            throw new InputException($"Limits can't be negative, and a priority is from -{MaxPriority} to {MaxPriority}.");
        var sweep = cluster.Sweep(id);
        var limits = (await sweep.StatusAsync(SweepStatus.NoVersion)).Limits;
        return await sweep.LimitAsync(new SweepLimits(
            Change(request.Parallel, limits.Parallel),
            request.Priority ?? limits.Priority,
            Change(request.Trials, limits.Trials),
            request.DeviceHours switch { null => limits.DeviceHours, 0 => null, var hours => hours }));
    }

    private static int? Change(int? requested, int? current) => requested switch { null => current, 0 => null, _ => requested };

    private static async Task<Results<NoContent, ProblemHttpResult>> RemoveAsync(
        string id,
        SweepRemoval removal,
        CancellationToken cancellation)
    {
        if (await removal.RemoveAsync(id, cancellation)) return TypedResults.NoContent();
        return TypedResults.Problem(
            $"The sweep '{id}' has not ended; cancel it first.",
            statusCode: StatusCodes.Status409Conflict);
    }

    /// <summary>Changes a sweep; what the grain refuses is bad input.</summary>
    public static async Task<SweepStatus> CheckedAsync(Func<Task<SweepStatus>> change)
    {
        try
        {
            return await change();
        }
        catch (ArgumentException refused)
        {
            throw new InputException(refused.Message, refused);
        }
    }
}
