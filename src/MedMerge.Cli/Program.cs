using MedMerge.Cli;

Console.SetOut(new PrintableWriter(Console.Out));
Console.SetError(new PrintableWriter(Console.Error));
return await MedMergeCommand.RunAsync(args, Console.Out, Console.Error);
