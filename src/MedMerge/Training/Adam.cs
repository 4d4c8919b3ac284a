namespace MedMerge.Training;

/// <summary>Adam (Kingma and Ba 2015, algorithm 1) over plain float64 numbers, for the coordinator, which has no device.</summary>
/// <param name="Steps">Steps made.</param>
/// <param name="Mean">First moments, one a parameter.</param>
/// <param name="Square">Second moments, one a parameter.</param>
internal sealed record Adam(int Steps, double[] Mean, double[] Square)
{
    private const double Beta1 = 0.9;
    private const double Beta2 = 0.999;
    private const double Epsilon = 1e-8;

    /// <summary>The state before the first step.</summary>
    /// <param name="length">The number of parameters.</param>
    public static Adam For(int length) => new(0, new double[length], new double[length]);

    /// <summary>One step down <paramref name="gradient"/>: parameters and moments change in place; returns the state after it.</summary>
    public Adam Step(double[] parameters, ReadOnlySpan<double> gradient, double learningRate)
    {
        var steps = Steps + 1;
        var correction1 = 1 - Math.Pow(Beta1, steps);
        var correction2 = 1 - Math.Pow(Beta2, steps);
        for (var i = 0; i < parameters.Length; i++)
        {
            Mean[i] = (Beta1 * Mean[i]) + ((1 - Beta1) * gradient[i]);
            Square[i] = (Beta2 * Square[i]) + ((1 - Beta2) * gradient[i] * gradient[i]);
            parameters[i] -= learningRate * (Mean[i] / correction1) / (Math.Sqrt(Square[i] / correction2) + Epsilon);
        }
        return this with { Steps = steps };
    }
}
